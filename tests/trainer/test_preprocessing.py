"""The one preprocessing: same pixels everywhere, and the fits do what they say."""

import numpy as np
import pytest
import tensorflow as tf

from contracts.config.preprocessing import PreprocessingConfig
from tests.conftest import encoded
from trainer.preprocessing import decode_and_resize


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def eagerly(image: bytes, config: PreprocessingConfig) -> np.ndarray:
    return decode_and_resize(tf.constant(image), config).numpy()


def in_dataset(image: bytes, config: PreprocessingConfig) -> np.ndarray:
    dataset = tf.data.Dataset.from_tensors(image).map(lambda one: decode_and_resize(one, config))
    return next(dataset.as_numpy_iterator())


def in_graph(image: bytes, config: PreprocessingConfig) -> np.ndarray:
    function = tf.function(lambda one: decode_and_resize(one, config), autograph=False)
    return function(tf.constant(image)).numpy()


@pytest.mark.parametrize("run", [in_dataset, in_graph])
@pytest.mark.parametrize("resize", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_the_pixels_are_the_same_however_it_runs(run, resize, image_format):
    image = encoded(noise(47, 90), image_format)
    config = PreprocessingConfig(image_size_px=32, resize=resize)
    np.testing.assert_array_equal(run(image, config), eagerly(image, config))


@pytest.mark.parametrize("resize", ["crop", "pad", "stretch"])
def test_an_image_of_the_right_size_is_untouched(resize):
    pixels = noise(24, 24)
    config = PreprocessingConfig(image_size_px=24, resize=resize)
    np.testing.assert_array_equal(eagerly(encoded(pixels), config), pixels)


def thirds() -> bytes:
    """Return an image 90 wide, 30 high: red, green and blue thirds."""
    pixels = np.zeros((30, 90, 3), np.uint8)
    for channel in range(3):
        pixels[:, 30 * channel : 30 * (channel + 1), channel] = 255
    return encoded(pixels)


def test_crop_keeps_the_central_square():
    result = eagerly(thirds(), PreprocessingConfig(image_size_px=16, resize="crop"))
    np.testing.assert_array_equal(result, np.broadcast_to([0, 255, 0], (16, 16, 3)))


def test_pad_keeps_everything_on_black():
    result = eagerly(thirds(), PreprocessingConfig(image_size_px=18, resize="pad"))
    assert not result[:6].any()
    assert not result[12:].any()
    np.testing.assert_array_equal(result[9, 1], [255, 0, 0])
    np.testing.assert_array_equal(result[9, 9], [0, 255, 0])
    np.testing.assert_array_equal(result[9, 16], [0, 0, 255])


def test_stretch_keeps_everything_and_fills_the_square():
    result = eagerly(thirds(), PreprocessingConfig(image_size_px=18, resize="stretch"))
    for column, channel in ((1, 0), (9, 1), (16, 2)):
        np.testing.assert_array_equal(result[0, column], np.eye(3, dtype=np.uint8)[channel] * 255)


def test_a_very_long_image_keeps_at_least_a_pixel():
    image = encoded(noise(1, 500))
    result = eagerly(image, PreprocessingConfig(image_size_px=8, resize="pad"))
    assert result.shape == (8, 8, 3)
    assert result.any()


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "GIF", "JPEG"])
def test_the_formats_that_a_served_model_takes(image_format):
    image = encoded(np.full((10, 10, 3), 255, np.uint8), image_format)
    result = eagerly(image, PreprocessingConfig(image_size_px=8))
    np.testing.assert_array_equal(result, np.full((8, 8, 3), 255))


def test_a_grey_image_gives_three_channels():
    image = encoded(np.full((10, 10), 77, np.uint8))
    result = eagerly(image, PreprocessingConfig(image_size_px=8))
    np.testing.assert_array_equal(result, np.full((8, 8, 3), 77))


def test_bytes_that_are_no_image_are_refused():
    with pytest.raises(tf.errors.InvalidArgumentError):
        eagerly(b"no image", PreprocessingConfig(image_size_px=8))
