"""The pixels of a PNG file in 8 bits, laid on a background, as `canonicalise` gives them.

Source: PNG specification, third edition, sections 11.2.1 (IHDR) and 11.3.1 (tRNS).
"""

from typing import NamedTuple

import tensorflow as tf

from contracts.artifacts.image_dataset import CHANNELS
from contracts.images.reading import ImageReading

_OPAQUE = 255
_OPAQUE_16 = 65535
# Where the header names the bits of a sample and the colour type; the types with alpha.
_BITS_AND_COLOUR_TYPE = 24
_GREY_ALPHA, _RGB_ALPHA = 4, 6
_DEEP_BITS = 16


class PngDepth(NamedTuple):
    """What the header of a PNG says of its samples: bools []."""

    is_deep: tf.Tensor  # 16 bits
    has_alpha: tf.Tensor


def read_depth(raw: tf.Tensor) -> PngDepth:
    """Return what the header of `raw`, string [], a PNG file, says; of other files, anything."""
    padded = raw + b"\0" * (_BITS_AND_COLOUR_TYPE + 2)
    header = tf.io.decode_raw(tf.strings.substr(padded, _BITS_AND_COLOUR_TYPE, 2), tf.uint8)
    bits, colour_type = tf.unstack(header, 2)
    has_alpha = (colour_type == _GREY_ALPHA) | (colour_type == _RGB_ALPHA)
    return PngDepth(is_deep=bits == _DEEP_BITS, has_alpha=has_alpha)


def deep_pixels(raw: tf.Tensor, reading: ImageReading) -> tf.Tensor:
    """Return the pixels of a PNG file of 16 bits, uint8 [height, width, 3].

    Args:
      raw: string [], the file.
      reading: `background` and `integer_range` count.

    Raises:
      tf.errors.InvalidArgumentError: the file is damaged, or a value lies outside of
        `integer_range`.
    """
    return _on_background(_scaled(raw, reading.integer_range), reading.background)


def blended_pixels(raw: tf.Tensor, reading: ImageReading) -> tf.Tensor:
    """Return the pixels of a PNG file with transparency, uint8 [height, width, 3].

    Args:
      raw: string [], the file, of 8 bits or fewer.
      reading: `background` counts.

    Raises:
      tf.errors.InvalidArgumentError: the file is damaged.
    """
    return _on_background(tf.io.decode_png(raw, channels=CHANNELS + 1), reading.background)


def _scaled(raw: tf.Tensor, integer_range: tuple[float, float]) -> tf.Tensor:
    """Return 16 bits in 8, as `contracts.images.values.Values.scaled` does: uint8 [..., 4]."""
    layers = tf.io.decode_png(raw, channels=CHANNELS + 1, dtype=tf.uint16)
    values = tf.cast(layers[..., :CHANNELS], tf.float64)
    low, high = integer_range
    levels = tf.round((values - low) * 255 / (high - low))
    refusal = (
        f"expected a PNG with values in the range of the data set, {low:g} to {high:g} "
        "(data.value_range), received values from, to:"
    )
    tf.raw_ops.Assert(
        condition=tf.reduce_all((levels >= 0) & (levels <= 255)),
        data=[refusal, tf.reduce_min(values), tf.reduce_max(values)],
    )
    alpha = tf.round(tf.cast(layers[..., CHANNELS:], tf.float64) * (_OPAQUE / _OPAQUE_16))
    return tf.cast(tf.concat([levels, alpha], axis=-1), tf.uint8)


def _on_background(layers: tf.Tensor, background: str) -> tf.Tensor:
    """Return RGBA laid on a colour, with the rounding of Pillow's `Image.paste`."""
    colour = tf.constant(list(bytes.fromhex(background.removeprefix("#"))), tf.int32)
    layers = tf.cast(layers, tf.int32)
    pixels, alpha = layers[..., :CHANNELS], layers[..., CHANNELS:]
    mixed = pixels * alpha + colour * (_OPAQUE - alpha) + 128
    return tf.cast((mixed // 256 + mixed) // 256, tf.uint8)
