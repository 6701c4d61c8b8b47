"""Colour operations are those of the books, done together as one after the other."""

import colorsys

import numpy as np
import pytest

from tests.trainer.augmentation.conftest import MODES, only
from trainer.augmentation.colour import LUMA

NEUTRAL = {"brightness": 1, "contrast": 1, "saturation": 1, "hue": 0}


@pytest.mark.parametrize("name", NEUTRAL)
@pytest.mark.parametrize("mode", MODES)
def test_without_strength_nothing_changes(augmented, pixels, name, mode):
    np.testing.assert_allclose(
        augmented(mode=mode, **only(name, NEUTRAL[name])), pixels, atol=0.001
    )


def test_brightness_multiplies_and_is_cut_at_white(augmented, pixels):
    np.testing.assert_allclose(
        augmented(**only("brightness", 1.5)), np.minimum(pixels * 1.5, 255), atol=0.01
    )


def test_contrast_turns_about_the_mean_brightness(augmented, pixels):
    mean = (pixels @ LUMA).mean((1, 2)).reshape(-1, 1, 1, 1)
    expected = mean + 0.5 * (pixels - mean)
    np.testing.assert_allclose(augmented(**only("contrast", 0.5)), expected, atol=0.01)


def test_no_saturation_is_grey_of_the_same_brightness(augmented, pixels):
    expected = np.repeat((pixels @ LUMA)[..., None], 3, axis=-1)
    np.testing.assert_allclose(augmented(**only("saturation", 0)), expected, atol=0.01)


@pytest.mark.parametrize("turns", [-0.2, 0.1, 1 / 3])
def test_hue_turns_as_the_colour_circle_and_keeps_the_brightness(augmented, pixels, turns):
    changed = augmented(**only("hue", turns))
    inside = ((changed > 1) & (changed < 254)).all(-1)
    np.testing.assert_allclose((changed @ LUMA)[inside], (pixels @ LUMA)[inside], atol=0.1)
    vivid = inside & (np.ptp(pixels, axis=-1) > 80)
    moved = [
        (colorsys.rgb_to_hsv(*new)[0] - colorsys.rgb_to_hsv(*old)[0] - turns + 0.5) % 1 - 0.5
        for new, old in zip(changed[vivid][:200] / 255, pixels[vivid][:200] / 255, strict=True)
    ]
    assert np.abs(np.mean(moved)) < 0.05


def test_several_are_done_one_after_the_other(augmented, pixels):
    names = {"brightness": 0.6, "contrast": 0.7, "saturation": 0.5}
    section = {
        "operations": {name: {"probability": 1, "range": [by, by]} for name, by in names.items()}
    }
    expected = pixels * 0.6
    mean = (expected @ LUMA).mean((1, 2)).reshape(-1, 1, 1, 1)
    expected = mean + 0.7 * (expected - mean)
    grey = (expected @ LUMA)[..., None]
    expected = grey + 0.5 * (expected - grey)
    np.testing.assert_allclose(augmented(**section), expected, atol=0.01)
