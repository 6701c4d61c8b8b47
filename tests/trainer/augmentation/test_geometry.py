"""Geometric operations are exact where pixels go to pixels, and resample once elsewhere."""

import keras
import numpy as np
import pytest

from tests.trainer.augmentation.conftest import MODES, SIZE_PX, only
from trainer.augmentation import geometry


@pytest.mark.parametrize("mode", MODES)
def test_flips_are_exact(augmented, pixels, mode):
    mirrored = augmented(mode=mode, **only("flip_horizontal"))
    np.testing.assert_array_equal(mirrored, pixels[:, :, ::-1])
    mirrored = augmented(mode=mode, **only("flip_vertical"))
    np.testing.assert_array_equal(mirrored, pixels[:, ::-1])


@pytest.mark.parametrize("mode", MODES)
def test_dihedral_takes_each_of_the_eight_views_exactly(augmented, pixels, mode):
    views = [
        np.rot90(flipped, turns, axes=(1, 2))
        for flipped in (pixels, pixels[:, :, ::-1])
        for turns in range(4)
    ]
    changed = augmented(mode=mode, **only("dihedral"))
    matches = np.array([(changed == view).all((1, 2, 3)) for view in views])
    assert (matches.sum(0) == 1).all()
    assert (matches.sum(1) > 0).all()


@pytest.mark.parametrize(
    ("name", "neutral"),
    [("rotate", 0), ("shear", 0), ("zoom", 1), ("translate", 0), ("crop", 1), ("crop_and_pad", 0)],
)
@pytest.mark.parametrize("mode", MODES)
def test_without_strength_nothing_changes(augmented, pixels, name, neutral, mode):
    changed = augmented(mode=mode, **only(name, neutral))
    if name == "crop":  # another aspect takes a little of the image
        assert np.abs(changed - pixels).mean() < 12
    else:
        np.testing.assert_array_equal(changed, pixels)


def test_whole_pixels_are_shifted_exactly_and_the_border_is_mirrored(augmented, pixels):
    shift = 3
    changed = augmented(**only("translate", shift / SIZE_PX))
    np.testing.assert_array_equal(changed[:, shift:, shift:], pixels[:, :-shift, :-shift])
    np.testing.assert_array_equal(changed[:, :shift, shift:], pixels[:, shift - 1 :: -1, :-shift])


@pytest.mark.parametrize("shift", [0.3, -0.07, 0.95])
def test_between_pixels_it_is_keras_own_resampling_with_mirrored_borders(augmented, pixels, shift):
    moved = -shift * SIZE_PX
    transform = np.float32([1, 0, moved, 0, 1, moved, 0, 0])
    expected = keras.ops.image.affine_transform(
        pixels, np.tile(transform, (len(pixels), 1)), "bilinear", fill_mode="reflect"
    )
    np.testing.assert_allclose(augmented(**only("translate", shift)), expected, atol=0.01)


def test_a_quarter_turn_goes_counter_clockwise(augmented, pixels):
    changed = augmented(**only("rotate", 90))
    np.testing.assert_allclose(changed, np.rot90(pixels, axes=(1, 2)), atol=0.01)


def test_angles_are_spread_over_the_range(augmented, pixels):
    assert np.abs(augmented(**only("rotate", 180)) - pixels[:, ::-1, ::-1]).max() < 0.01
    spread = augmented(**only("rotate", -30, 30))
    unlike = np.abs(spread - pixels).mean((1, 2, 3))
    assert unlike.min() < np.median(unlike) / 2 < unlike.max()


def test_zoom_enlarges_about_the_centre(augmented, pixels):
    zoomed = augmented(**only("zoom", 2))
    halved = zoomed.reshape(64, SIZE_PX // 2, 2, SIZE_PX // 2, 2, 3).mean((2, 4))
    quarter = slice(SIZE_PX // 4, -SIZE_PX // 4)
    np.testing.assert_allclose(halved, pixels[:, quarter, quarter], atol=12)


def test_a_crop_shows_only_what_was_there(augmented, pixels):
    changed = augmented(**only("crop", 0.25))
    assert (changed.min((1, 2, 3)) >= pixels.min((1, 2, 3)) - 0.01).all()
    assert (changed.max((1, 2, 3)) <= pixels.max((1, 2, 3)) + 0.01).all()
    # an enlarged part is smoother than the whole
    assert np.abs(np.diff(changed, axis=1)).mean() < 0.75 * np.abs(np.diff(pixels, axis=1)).mean()


def test_padding_pushes_all_borders_outwards(augmented, pixels):
    changed = augmented(**only("crop_and_pad", 0.5))
    inner = slice(SIZE_PX // 4, -SIZE_PX // 4)
    shrunk = pixels.reshape(64, SIZE_PX // 2, 2, SIZE_PX // 2, 2, 3).mean((2, 4))
    np.testing.assert_allclose(changed[:, inner, inner], shrunk, atol=0.01)
    corner = changed[:, : SIZE_PX // 4, inner]
    np.testing.assert_allclose(corner, shrunk[:, SIZE_PX // 4 - 1 :: -1], atol=0.01)


def test_operations_follow_one_another_in_one_resampling(augmented, pixels):
    section = {
        "operations": {
            "flip_horizontal": {"probability": 1},
            "rotate": {"probability": 1, "range": [90, 90]},
            "translate": {"probability": 1, "range": [0.25, 0.25]},
        }
    }
    turned = np.rot90(pixels[:, :, ::-1], axes=(1, 2))
    shift = SIZE_PX // 4
    changed = augmented(**section)
    np.testing.assert_allclose(changed[:, shift:, shift:], turned[:, :-shift, :-shift], atol=0.01)


def test_rows_and_columns_by_themselves_give_what_all_at_once_gives(pixels):
    numbers = np.random.default_rng(0)
    maps = np.zeros((len(pixels), 3, 3), "float32")
    maps[:, 0, 0], maps[:, 1, 1] = numbers.uniform(-2, 2, (2, len(pixels)))
    maps[:, :2, 2] = numbers.uniform(-SIZE_PX, SIZE_PX, (len(pixels), 2))
    maps[:, 2, 2] = 1
    by_axis = geometry._interpolated_by_axis(pixels, maps)
    np.testing.assert_allclose(by_axis, geometry._interpolated(pixels, maps), atol=0.01)


def test_light_is_the_mirror_and_the_shifted_crop(augmented, pixels):
    changed = augmented(preset="light")
    centre = slice(4, -4)

    def nearest(images: np.ndarray) -> np.ndarray:
        shifts = [
            np.abs(changed[:, centre, centre] - np.roll(images, (y, x), (1, 2))[:, centre, centre])
            for y in range(-2, 3)
            for x in range(-2, 3)
        ]
        return np.min([one.mean((1, 2, 3)) for one in shifts], axis=0)

    is_mirrored = nearest(pixels[:, :, ::-1]) < nearest(pixels)
    assert 0.3 < is_mirrored.mean() < 0.7
    assert np.minimum(nearest(pixels), nearest(pixels[:, :, ::-1])).max() < 12
