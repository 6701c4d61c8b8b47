"""The backend on the CPU means by every name what the layers mean, and says what it needs."""

import sys

import numpy as np
import pytest

from contracts.config.augmentation.operations import OPERATION_SECTIONS
from contracts.config.augmentation.policy import PRESETS, resolve_policy
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from contracts.system.errors import ComponentError
from tests.trainer.augmentation.conftest import LABELS, config, layer_of, only
from trainer.augmentation.albumentations import CpuAugmentation
from trainer.batches import numpy_feed, tensorflow_feed
from trainer.batches.sampling import Position, Sampling
from trainer.training.train import train

pytest.importorskip("albumentations", reason="imgpipe[albumentations] is not installed")


def on_the_cpu(seed: int = 0, **section) -> CpuAugmentation:
    return CpuAugmentation(resolve_policy(config(**section)), LABELS, seed)


# Strengths, and how far the two may lie apart, as mean difference of values in 0..255.
SAME = {
    "flip_horizontal": ((), 0),
    "flip_vertical": ((), 0),
    "rotate": ((30,), 2),
    "zoom": ((1.3,), 2.5),
    "translate": ((0.125,), 1),
    "crop_and_pad": ((0.25,), 8),
    "brightness": ((0.6,), 1),
    "contrast": ((0.6,), 1),
    "saturation": ((0.4,), 1),
    "hue": ((0.1,), 18),  # it keeps the largest of the three values, the layers the brightness
    "auto_contrast": ((), 1),
    "equalize": ((), 3),  # it counts a value among those before it
    "posterize": ((3,), 0),
    "solarize": ((128,), 0),
    "sharpness": ((1.9,), 0.5),
    "blur": ((0.08,), 1.5),
}


@pytest.mark.parametrize("name", SAME)
def test_a_name_means_what_it_means_to_the_layers(pixels, targets, augmented, name):
    strength, tolerance = SAME[name]
    section = only(name, *strength)
    changed, same_targets = on_the_cpu(**section).augmented(pixels.astype("uint8"), targets, 0)
    assert changed.dtype == np.float32
    np.testing.assert_array_equal(same_targets, targets)
    layers = augmented(**section)
    moved = np.abs(layers - pixels).mean()
    assert np.abs(changed - layers).mean() <= min(tolerance, moved)


def test_a_shear_is_one_of_the_two_of_the_layers(pixels, targets):
    changed = on_the_cpu(**only("shear", 12)).augmented(pixels, targets, 0)[0]
    layer = layer_of(**only("shear", 12))
    found = np.array([np.asarray(layer(pixels, targets)[0]) for _ in range(8)])
    apart = np.abs(found - changed).mean((2, 3, 4))
    assert (apart.min(0) < 2).all()
    assert (apart.max(0) > 2 * apart.min(0)).mean() > 0.9


def test_solarizing_from_256_on_leaves_white_alone(pixels, targets):
    white = np.full_like(pixels, 255)
    section = only("solarize", 256)
    np.testing.assert_array_equal(on_the_cpu(**section).augmented(white, targets, 0)[0], white)


def test_noise_and_erasing_are_as_strong(pixels, targets):
    noise = on_the_cpu(**only("noise", 0.02)).augmented(pixels, targets, 0)[0] - pixels
    assert noise.std() == pytest.approx(0.02 * 255, rel=0.1)
    erased = on_the_cpu(**only("random_erasing", 0.25)).augmented(pixels, targets, 0)[0]
    covered = (erased != pixels).any(-1).mean()
    assert covered == pytest.approx(0.25, abs=0.05)


def test_jpeg_leaves_the_same_of_grey_images(pixels, targets):
    # Of colours OpenCV halves the resolution besides.
    grey = np.repeat(pixels[..., :1], 3, axis=-1)
    section = only("jpeg_compression", 60)
    changed = on_the_cpu(**section).augmented(grey, targets, 0)[0]
    layers = np.asarray(layer_of(**section)(grey, targets)[0])
    assert np.abs(changed - layers).mean() < 0.1 * np.abs(changed - grey).mean()


def test_dihedral_takes_the_eight_views_and_crop_a_part(pixels, targets):
    changed = on_the_cpu(**only("dihedral")).augmented(pixels, targets, 0)[0]
    views = [
        np.rot90(flipped, turns, axes=(1, 2))
        for flipped in (pixels, pixels[:, :, ::-1])
        for turns in range(4)
    ]
    matches = np.array([(changed == view).all((1, 2, 3)) for view in views])
    assert (matches.sum(0) == 1).all()
    cropped = on_the_cpu(**only("crop", 0.25)).augmented(pixels, targets, 0)[0]
    assert np.abs(np.diff(cropped, axis=1)).mean() < 0.75 * np.abs(np.diff(pixels, axis=1)).mean()


@pytest.mark.parametrize("preset", PRESETS)
def test_batches_follow_from_the_seed_and_from_their_number(pixels, targets, preset):
    first, second = on_the_cpu(preset=preset), on_the_cpu(preset=preset)
    ones = [first.augmented(pixels, targets, number) for number in (0, 1)]
    others = [second.augmented(pixels, targets, number) for number in (1, 0)][::-1]
    for one, other in zip(ones, others, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
        np.testing.assert_allclose(one[1].sum(1), 1, atol=1e-5)
    if preset != "none":
        assert not np.array_equal(ones[0][0], ones[1][0])


def test_exceptions_are_spared(pixels, targets):
    operations = {name: {"probability": 1.0, "except": ["dog"]} for name in OPERATION_SECTIONS}
    changed, _ = on_the_cpu(operations=operations).augmented(pixels, targets, 0)
    is_dog = targets[:, 1] == 1
    np.testing.assert_array_equal(changed[is_dog], pixels[is_dog])
    assert (np.abs(changed - pixels)[~is_dog].mean((1, 2, 3)) > 5).all()


def test_the_layer_leaves_to_it_what_is_its(pixels, targets):
    changed, mixed = layer_of(preset="strong", mixup=1.0, backend="albumentations")(pixels, targets)
    np.testing.assert_array_equal(changed, pixels)
    np.testing.assert_array_equal(mixed, targets)


def recipe_of(**section) -> TrainingRecipe:
    return TrainingRecipe(
        trainer=TrainerConfig(
            model_options={"filters": [8, 8]}, epochs=2, batch_size=16, learning_rate=0.01
        ),
        augmentation=config(backend="albumentations", **section),
        seed=1,
    )


def test_a_model_is_trained_with_it(dataset):
    first, second = (train(recipe_of(preset="light", mixup=0.2), dataset) for _ in range(2))
    assert first.history["loss"][1] < first.history["loss"][0]
    for one, other in zip(first.network.get_weights(), second.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("feed", [tensorflow_feed, numpy_feed], ids=["tf.data", "numpy"])
def test_batches_are_changed_by_their_number_in_the_training(dataset, feed):
    def changed(pixels, targets, number):
        return np.full(pixels.shape, number, "float32"), targets * 0

    position = Position(step=3)
    batches = feed.training_batches(dataset, Sampling(8, seed=0), position, 4, changed)
    for begins in (3, 7):  # as fit goes over them, epoch after epoch
        position.step = begins
        found = [batches[step] for step in range(4)] if feed is numpy_feed else list(batches)
        for step, (inputs, labels) in enumerate(found):
            assert np.unique(inputs["pixels"]) == begins + step
            assert np.sum(inputs["targets"]) == 0
            assert np.sum(labels) == 8


def test_what_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "albumentations", None)
    monkeypatch.setattr("contracts.environment.optional_libraries.installed", lambda *names: ())
    with pytest.raises(ComponentError, match=r"augmentation\.backend: .* is not installed"):
        CpuAugmentation(resolve_policy(config(preset="light")), LABELS, 0)
