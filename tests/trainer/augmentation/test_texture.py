"""Blur, noise, JPEG and erasing do what other implementations do."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.trainer.augmentation.conftest import MODES, SIZE_PX, only


@pytest.mark.parametrize("name", ["blur", "noise"])
@pytest.mark.parametrize("mode", MODES)
def test_without_strength_nothing_changes(augmented, pixels, name, mode):
    np.testing.assert_allclose(augmented(mode=mode, **only(name, 0)), pixels, atol=0.001)


@pytest.mark.parametrize("mode", MODES)
def test_blur_is_a_gaussian_with_mirrored_borders(augmented, pixels, mode):
    sigma_px = 1.2
    expected = ndimage.gaussian_filter(
        pixels, (0, sigma_px, sigma_px, 0), mode="reflect", truncate=8
    )
    changed = augmented(mode=mode, **only("blur", sigma_px / SIZE_PX))
    np.testing.assert_allclose(changed, expected, atol=0.05)


@pytest.mark.parametrize("mode", MODES)
def test_noise_is_gaussian_of_that_deviation_and_another_in_each_image(augmented, pixels, mode):
    noise = augmented(mode=mode, **only("noise", 0.02)) - pixels
    assert noise.std() == pytest.approx(0.02 * 255, rel=0.05)
    assert abs(noise.mean()) < 0.3
    assert np.mean(np.abs(noise) > 2 * noise.std()) == pytest.approx(0.0455, abs=0.01)
    assert not np.array_equal(noise[0], noise[1])


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 95])
@pytest.mark.parametrize("mode", MODES)
def test_jpeg_leaves_what_an_encoder_leaves(augmented, pixels, quality, mode):
    changed = augmented(mode=mode, **only("jpeg_compression", quality))
    encoded = np.stack([_through_pillow(image, quality) for image in pixels])
    loss = np.abs(encoded - pixels).mean()
    assert np.abs(changed - pixels).mean() == pytest.approx(loss, rel=0.05)
    # Encoders round the colours too: what lies between two steps may fall to either side.
    assert np.abs(changed - encoded).mean() < 0.3 * loss


def _through_pillow(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(buffer, "JPEG", quality=quality, subsampling=0)
    return np.asarray(Image.open(buffer), dtype="float32")


def test_jpeg_takes_images_that_are_no_whole_blocks(pixels, targets):
    from tests.trainer.augmentation.conftest import layer_of

    odd = pixels[:, :13, :13]
    changed, _ = layer_of(**only("jpeg_compression", 90))(odd, targets)
    assert changed.shape == odd.shape
    assert np.abs(np.asarray(changed) - odd).mean() < 6


@pytest.mark.parametrize("mode", MODES)
def test_erasing_covers_one_rectangle_of_that_area(augmented, pixels, mode):
    changed = augmented(mode=mode, **only("random_erasing", 0.25))
    covered = (np.abs(changed - pixels) > 1e-3).any(-1)
    assert covered.mean() == pytest.approx(0.25, abs=0.03)
    for mask in covered:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert box.mean() > 0.95
    assert len({mask.tobytes() for mask in covered}) > 32
