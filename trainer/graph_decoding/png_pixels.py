"""The pixels of a PNG file in 8 bits, laid on a background, as `canonicalise` gives them.

Source: PNG specification, third edition, sections 11.2.1 (IHDR) and 11.3.1 (tRNS).
"""

import tensorflow as tf

from contracts.image_reading import ImageReading
from trainer.data import CHANNELS

_OPAQUE = 255
_OPAQUE_16 = 65535
# Where the header names the bits of a sample and the colour type; the types with alpha.
_BITS_AND_COLOUR_TYPE = 24
_GREY_ALPHA, _RGB_ALPHA = 4, 6
_DEEP_BITS = 16


def opaque_pixels(raw: tf.Tensor, has_transparency: tf.Tensor, reading: ImageReading) -> tf.Tensor:
    """Return the pixels of a PNG file laid on the background, uint8 [height, width, 3].

    Args:
      raw: string [], the file.
      has_transparency: bool [], whether it has a tRNS chunk.
      reading: `background` and `integer_range` count.

    Raises:
      tf.errors.InvalidArgumentError: the file is damaged, or 16-bit values lie outside of
        `integer_range`.
    """
    header = tf.io.decode_raw(tf.strings.substr(raw, _BITS_AND_COLOUR_TYPE, 2), tf.uint8)
    bits, colour_type = header[0], header[1]
    has_alpha = has_transparency | (colour_type == _GREY_ALPHA) | (colour_type == _RGB_ALPHA)
    layers = tf.case(
        [
            (bits == _DEEP_BITS, lambda: _scaled(raw, reading.integer_range)),
            (has_alpha, lambda: tf.io.decode_png(raw, channels=CHANNELS + 1)),
        ],
        default=lambda: _opaque(raw),
    )
    return _on_background(layers, reading.background)


def _opaque(raw: tf.Tensor) -> tf.Tensor:
    # Asked for 4 channels, TensorFlow gives images of 1, 2 and 4 bits another alpha than 255.
    pixels = tf.io.decode_png(raw, channels=CHANNELS)
    return tf.pad(pixels, [[0, 0], [0, 0], [0, 1]], constant_values=_OPAQUE)


def _scaled(raw: tf.Tensor, integer_range: tuple[float, float]) -> tf.Tensor:
    """Return 16 bits in 8, as `contracts.image_values.Values.scaled` does: uint8 [..., 4]."""
    layers = tf.io.decode_png(raw, channels=CHANNELS + 1, dtype=tf.uint16)
    values = tf.cast(layers[..., :CHANNELS], tf.float64)
    low, high = integer_range
    levels = tf.round((values - low) * 255 / (high - low))
    refusal = (
        f"expected a PNG with values in the range of the data set, {low:g} to {high:g} "
        "(data.value_range), received values from, to:"
    )
    tf.debugging.Assert(
        tf.reduce_all((levels >= 0) & (levels <= 255)),
        [refusal, tf.reduce_min(values), tf.reduce_max(values)],
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
