"""The layer repeats itself by seed, spares exceptions, goes on after a restart, stays in range."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.augmentation.operations import OPERATION_SECTIONS
from contracts.config.augmentation.policy import PRESETS
from contracts.system.errors import ComponentError
from tests.trainer.augmentation.conftest import LABELS, MODES, layer_of, only
from trainer.augmentation import Augmentation

EVERYTHING = {
    "operations": {name: {} for name in OPERATION_SECTIONS},
    "rand_augment": {},
    "mixup": 0.8,
    "cutmix": 1.0,
}


@pytest.mark.parametrize("mode", MODES)
def test_everything_at_once_stays_an_image_and_a_distribution(pixels, targets, mode):
    changed, mixed = MODES[mode](layer_of(**EVERYTHING))(pixels, targets)
    changed, mixed = np.asarray(changed), np.asarray(mixed)
    assert (changed.shape, changed.dtype) == (pixels.shape, np.float32)
    assert changed.min() >= 0 and changed.max() <= 255.001
    assert np.isfinite(changed).all()
    np.testing.assert_allclose(mixed.sum(1), 1, atol=1e-5)
    assert (np.abs(changed - pixels).mean((1, 2, 3)) > 1).all()


@pytest.mark.parametrize("preset", [*PRESETS, "everything"])
def test_no_array_of_numpy_meets_a_tensor_which_pytorch_refuses(
    pixels, targets, monkeypatch, preset
):
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        for operator in (f"__{name}__", f"__r{name}__"):
            monkeypatch.setattr(tf.Tensor, operator, without_arrays(getattr(tf.Tensor, operator)))
    layer = layer_of(**(EVERYTHING if preset == "everything" else {"preset": preset}))
    changed, _ = layer(pixels, targets)
    assert changed.shape == pixels.shape


def without_arrays(operator):
    def checked(tensor, other):
        assert not isinstance(other, np.ndarray)
        return operator(tensor, other)

    return checked


def test_in_a_graph_it_does_what_it_does_eagerly(pixels, targets):
    eager = layer_of(**EVERYTHING)(pixels, targets)
    compiled = MODES["graph"](layer_of(**EVERYTHING))(pixels, targets)
    difference = np.abs(np.asarray(eager[0]) - np.asarray(compiled[0]))
    # JPEG rounds: a value that lies between two steps may fall to either side.
    assert np.mean(difference > 0.1) < 0.005
    np.testing.assert_allclose(eager[1], compiled[1], atol=1e-5)


def test_xla_has_random_numbers_of_its_own_and_repeats_them(augmented):
    first, second = (augmented(mode="xla", preset="medium") for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_seed_gives_the_same_and_another_another(augmented, pixels, preset):
    first, second = augmented(preset=preset), augmented(preset=preset)
    np.testing.assert_array_equal(first, second)
    if preset == "none":
        np.testing.assert_array_equal(first, pixels)
    else:
        assert not np.array_equal(first, augmented(seed=1, preset=preset))


def test_every_batch_is_changed_anew(pixels, targets):
    layer = layer_of(preset="medium")
    first, second = layer(pixels, targets)[0], layer(pixels, targets)[0]
    assert not np.array_equal(first, second)


def test_a_restart_goes_on_with_the_random_numbers(pixels, targets, tmp_path):
    path = str(tmp_path / "model.weights.h5")

    def model() -> keras.Model:
        made = keras.Sequential([keras.layers.Dense(1)])
        made.augmentation = layer_of(preset="strong")
        made.build((None, 2))
        return made

    run = model()
    run.augmentation(pixels, targets)
    run.save_weights(path)
    expected = run.augmentation(pixels, targets)[0]
    restarted = model()
    restarted.load_weights(path)
    np.testing.assert_array_equal(restarted.augmentation(pixels, targets)[0], expected)


def test_a_probability_is_that_of_each_image(pixels, targets):
    layer = layer_of(operations={"brightness": {"probability": 0.3, "range": [0.5, 0.5]}})
    changed = [
        np.abs(np.asarray(layer(pixels, targets)[0]) - pixels).max((1, 2, 3)) > 0 for _ in range(30)
    ]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.04)
    assert 0 < np.mean(changed[0]) < 1


def test_images_that_are_not_chosen_stay_to_the_bit(pixels, targets):
    given = {name: {"probability": 0.05} for name in OPERATION_SECTIONS}
    changed = np.asarray(layer_of(operations=given)(pixels, targets)[0])
    untouched = (changed == pixels).all((1, 2, 3))
    assert 0.2 < untouched.mean() < 0.8


@pytest.mark.parametrize("name", OPERATION_SECTIONS)
def test_an_exception_spares_a_class_and_nobody_else(augmented, pixels, targets, name):
    strength = (0.05, 0.1) if name == "blur" else ()
    changed = augmented(**only(name, *strength, **{"except": ["dog"]}))
    is_dog = targets[:, 1] == 1
    np.testing.assert_array_equal(changed[is_dog], pixels[is_dog])
    assert (changed[~is_dog] != pixels[~is_dog]).any((1, 2, 3)).mean() > 0.8


def test_an_unknown_class_is_named_with_what_it_may_mean():
    section = only("rotate", **{"except": ["dgo", "bird"]})
    config = AugmentationConfig.model_validate({"preset": "none", **section})
    with pytest.raises(ComponentError) as raised:
        Augmentation(config, LABELS, 0)
    assert raised.value.problems == (
        "augmentation.operations.rotate.except: expected classes of the data (cat, dog), received "
        "'bird'.",
        "augmentation.operations.rotate.except: expected classes of the data (cat, dog), received "
        "'dgo'; did you mean `dog`?",
    )


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_changes_nothing(augmented, policy):
    expected = augmented(**EVERYTHING)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        mixed = augmented(**EVERYTHING)
    finally:
        keras.config.set_dtype_policy(before)
    assert mixed.dtype == np.float32
    np.testing.assert_array_equal(mixed, expected)


def test_a_smaller_last_batch_is_no_trouble(pixels, targets):
    layer = MODES["graph"](layer_of(preset="paper"))
    for count in (64, 1, 7):
        changed, mixed = layer(pixels[:count], targets[:count])
        assert len(changed) == len(mixed) == count


def test_rand_augment_takes_as_many_operations_an_image(pixels, targets):
    layer = layer_of(rand_augment={"operations": 2})
    draws = layer._operations.draw(targets, keras.random.SeedGenerator(0))
    applied = np.stack([np.asarray(draw.is_applied) for draw in draws])
    assert (applied.sum(0) == 2).all()
    assert (applied.mean(1) > 0.1).all()


def test_rand_augments_magnitude_is_how_far_it_goes(augmented, pixels):
    def distance(magnitude: float) -> float:
        section = {
            "operations": {"auto_contrast": None, "equalize": None},  # these have but one
            "rand_augment": {"magnitude": magnitude, "deviation": 0.0},
        }
        return float(np.abs(augmented(**section) - pixels).mean())

    assert distance(0.0) < 1e-3
    assert 0.5 < distance(2.0) < distance(5.0) < distance(10.0)
