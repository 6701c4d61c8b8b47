"""AutoContrast, Equalize, Posterize, Solarize, Sharpness and Shear do what Pillow's own do."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from tests.conftest import REPOSITORY
from tests.trainer.augmentation.conftest import MODES, layer_of, only

SIZE_PX = 33
SLANT_DEG = 12.0

# What Pillow makes of an image at a strength.
PILLOW = {
    "auto_contrast": lambda image, _: ImageOps.autocontrast(image),
    "equalize": lambda image, _: ImageOps.equalize(image),
    "posterize": lambda image, bits: ImageOps.posterize(image, bits),
    "solarize": lambda image, threshold: ImageOps.solarize(image, threshold),
    "sharpness": lambda image, times: ImageEnhance.Sharpness(image).enhance(times),
}
CASES = [
    ("auto_contrast", None),
    ("equalize", None),
    *[("posterize", bits) for bits in (1, 4, 8)],
    *[("solarize", threshold) for threshold in (0, 100, 256)],
    *[("sharpness", times) for times in (0.0, 0.4, 1.9)],
]
# Pillow cuts the stretched values, and rounds the smooth ones before they are sharpened too.
TOLERANCE = {"auto_contrast": 1.001, "sharpness": 1.5}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Return noise of several ranges, a slope, two values, and one: float32 [8, 33, 33, 3]."""
    rng = np.random.default_rng(0)
    shape = (SIZE_PX, SIZE_PX, 3)
    slope = np.repeat(np.linspace(20, 200, SIZE_PX)[:, None, None], SIZE_PX, axis=1) * [1, 0.9, 0.5]
    made = [
        *[rng.integers(low, high, shape) for low, high in ((0, 256), (90, 140), (200, 256))],
        np.clip(rng.normal(60, 25, shape), 0, 255),
        slope,
        rng.integers(0, 2, shape) * 70 + 50,
        np.full(shape, 77),
        np.full(shape, 255),
    ]
    return np.rint(np.array(made)).astype("float32")


TARGETS = np.eye(2, dtype="float32")[np.arange(8) % 2]


def changed(images: np.ndarray, mode: str, section: dict) -> np.ndarray:
    return np.asarray(MODES[mode](layer_of(**section))(images, TARGETS)[0])


def by_pillow(images: np.ndarray, name: str, strength: float | None) -> np.ndarray:
    pictures = [Image.fromarray(image.astype("uint8")) for image in images]
    return np.stack([np.asarray(PILLOW[name](one, strength), "float32") for one in pictures])


def slanted(images: np.ndarray, slope: float, is_of_rows: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the images about their middle, and where nothing came from beyond the border."""
    move = -slope * SIZE_PX / 2
    row, column = ((1, slope, move), (0, 1, 0)) if is_of_rows else ((1, 0, 0), (slope, 1, move))

    def transformed(channel: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(np.ascontiguousarray(channel))
        how = Image.Transform.AFFINE
        return np.asarray(picture.transform(picture.size, how, (*row, *column), Image.BILINEAR))

    made = [[transformed(image[..., channel]) for channel in range(3)] for image in images]
    inside = transformed(np.ones((SIZE_PX, SIZE_PX), "float32")) > 0
    return np.moveaxis(np.array(made), 1, -1), inside


@pytest.mark.parametrize(("name", "strength"), CASES)
@pytest.mark.parametrize("mode", MODES)
def test_it_is_pillows(images, mode, name, strength):
    result = changed(images, mode, only(name, strength))
    expected = by_pillow(images, name, strength)
    np.testing.assert_allclose(result, expected, atol=TOLERANCE.get(name, 1e-4), rtol=0)
    if (name, strength) not in {("posterize", 8), ("solarize", 256)}:
        assert not np.array_equal(expected, images)


@pytest.mark.parametrize("mode", MODES)
def test_a_shear_is_pillows_along_rows_or_along_columns(images, mode):
    result = changed(images, mode, only("shear", SLANT_DEG))
    slope = math.tan(math.radians(SLANT_DEG))
    ways = [slanted(images, slope, is_of_rows) for is_of_rows in (True, False)]
    apart = np.array([np.abs(result - way)[:, inside].max(axis=(1, 2)) for way, inside in ways])
    assert (apart.min(axis=0) < 0.01).all()
    assert len(set(apart[:, :4].argmin(axis=0))) == 2  # the noise tells which of the two it was


def test_every_image_has_a_strength_of_its_own(images):
    noise = np.repeat(images[:1], 8, axis=0)
    posterized = changed(noise, "eager", only("posterize", 1, 8))
    bits = {
        count
        for image in posterized
        for count in range(1, 9)
        if np.array_equal(image, by_pillow(noise[:1], "posterize", count)[0])
    }
    assert len(bits) > 2
    solarized = changed(noise, "eager", only("solarize", 0, 256))
    thresholds = [float(noise[0][image != noise[0]].min()) for image in solarized]
    for image, threshold in zip(solarized, thresholds, strict=True):
        np.testing.assert_array_equal(image, by_pillow(noise[:1], "solarize", threshold)[0])
    assert len(set(thresholds)) > 5
    sharp = changed(noise, "eager", only("sharpness", 0, 2))
    assert len({round(float(np.abs(image - noise[0]).mean()), 3) for image in sharp}) == 8


@pytest.mark.parametrize("name", [*PILLOW, "shear"])
def test_probability_and_exceptions_are_kept(images, name):
    noise = np.repeat(images[:1] * 0.5, 64, axis=0).round()
    targets = np.eye(2, dtype="float32")[np.arange(64) % 2]
    given = {"probability": 0.5, "except": ["dog"]}
    result = np.asarray(layer_of(operations={name: given})(noise, targets)[0])
    is_changed = (result != noise).any(axis=(1, 2, 3))
    assert not is_changed[targets[:, 1] == 1].any()
    assert 6 < is_changed.sum() < 26 or name == "solarize"  # which leaves dark images alone


UNDER_JAX = """\
import json, sys, jax, numpy as np
from contracts.config.augmentation.config import AugmentationConfig
from trainer.augmentation import Augmentation
given, results = np.load(sys.argv[1]), {}
for name, section in json.loads(sys.argv[3]).items():
    config = AugmentationConfig.model_validate({"preset": "none", **section})
    layer = Augmentation(config, ("cat", "dog"), 0)
    state = [variable.value for variable in layer.variables]
    call = jax.jit(lambda state, *batch, own=layer: own.stateless_call([], state, *batch)[0][0])
    results[name] = call(state, given["images"], given["targets"])
np.savez(sys.argv[2], **results)
"""


def test_under_jax_it_is_the_same(images, tmp_path):
    pytest.importorskip("jax")
    cases = {name: strength for name, strength in CASES if strength not in (0, 8, 256)}
    sections = {name: only(name, strength) for name, strength in cases.items()}
    sections["rand_augment"] = {"rand_augment": {}}
    np.savez(tmp_path / "given.npz", images=images, targets=TARGETS)
    subprocess.run(
        [
            *(sys.executable, "-c", UNDER_JAX),
            *(tmp_path / "given.npz", tmp_path / "results.npz", json.dumps(sections)),
        ],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=REPOSITORY,
        check=True,
    )
    with np.load(tmp_path / "results.npz") as results:
        for name, strength in cases.items():
            here = changed(images, "eager", only(name, strength))
            np.testing.assert_allclose(results[name], here, atol=0.01, err_msg=name)
        assert results["rand_augment"].shape == images.shape
