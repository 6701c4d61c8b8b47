"""The only pixel preprocessing: what training stores is what the server sees, bit for bit."""

import tensorflow as tf

from contracts.artifacts.image_dataset import CHANNELS
from contracts.config.preprocessing import PreprocessingConfig


def decode_and_resize(image_bytes: tf.Tensor, config: PreprocessingConfig) -> tf.Tensor:
    """Decode one canonical image and bring it to the configured square, always the same way.

    Args:
      image_bytes: as for `decode`.
      config: as for `resize`.

    Returns:
      uint8 [image_size_px, image_size_px, 3], RGB.

    Raises:
      tf.errors.InvalidArgumentError: the bytes are no image that TensorFlow decodes.
    """
    return resize(decode(image_bytes), config)


def decode(image_bytes: tf.Tensor) -> tf.Tensor:
    """Decode one image.

    Args:
      image_bytes: string [], a JPEG, PNG, BMP or GIF (first frame); WebP where this
        TensorFlow decodes it. Orientation and transparency are not read:
        `contracts.images.canonical` has applied them, or `trainer.export.graph_decoding` does.

    Returns:
      uint8 [height, width, 3], RGB.

    Raises:
      tf.errors.InvalidArgumentError: the bytes are no image that TensorFlow decodes.
    """
    pixels = tf.io.decode_image(image_bytes, channels=CHANNELS, expand_animations=False)
    pixels.set_shape([None, None, CHANNELS])
    return pixels


def resize(pixels: tf.Tensor, config: PreprocessingConfig) -> tf.Tensor:
    """Bring the pixels of one image to the configured square.

    Args:
      pixels: uint8 [height, width, 3].
      config: `image_size_px` and how the image is fitted: `crop` keeps the central
        square, `pad` keeps everything on black, `stretch` ignores the aspect ratio.

    Returns:
      uint8 [image_size_px, image_size_px, 3]. Resized with an antialiased triangle
      filter (`tf.image.resize`, bilinear) and rounded half to even.
    """
    size = config.image_size_px
    fitted = _FITS[config.resize](pixels, size)
    fitted.set_shape([size, size, CHANNELS])
    return fitted


def _crop(pixels: tf.Tensor, size: int) -> tf.Tensor:
    shape = tf.shape(pixels)
    side = tf.minimum(shape[0], shape[1])
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    square = tf.slice(pixels, [top, left, 0], [side, side, CHANNELS])
    return _resize(square, [size, size])


def _pad(pixels: tf.Tensor, size: int) -> tf.Tensor:
    shape = tf.shape(pixels)[:2]
    longest = tf.cast(tf.reduce_max(shape), tf.float32)
    scaled = tf.round(tf.cast(shape, tf.float32) * (tf.cast(size, tf.float32) / longest))
    inner = tf.clip_by_value(tf.cast(scaled, tf.int32), 1, size)
    before = (size - inner) // 2
    after = size - inner - before
    paddings = tf.stack([[before[0], after[0]], [before[1], after[1]], [0, 0]])
    return tf.pad(_resize(pixels, inner), paddings)


def _stretch(pixels: tf.Tensor, size: int) -> tf.Tensor:
    return _resize(pixels, [size, size])


def _resize(pixels: tf.Tensor, size: tf.Tensor | list[int]) -> tf.Tensor:
    resized = tf.image.resize(pixels, size, method="bilinear", antialias=True)
    return tf.saturate_cast(tf.round(resized), tf.uint8)


_FITS = {"crop": _crop, "pad": _pad, "stretch": _stretch}
