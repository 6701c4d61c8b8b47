"""One raw file -> upright, opaque 8-bit pixels."""

import tensorflow as tf

from contracts.image_reading import ImageReading
from trainer.data import CHANNELS
from trainer.graph_decoding import jpeg_segments, png_chunks
from trainer.graph_decoding.orientation import UPRIGHT, orientation_of, upright
from trainer.graph_decoding.png_pixels import opaque_pixels
from trainer.preprocessing import decode

# What a file holds if `decode` alone may read it wrongly. To walk the segments of every file would
# cost more than to decode a small one. RE2 cannot name bytes from 0x80 on; `\C` is any byte.
_MAY_DIFFER = (
    r"(?s)"
    # A PNG of 16 bits, or with an alpha channel.
    r"\CPNG\C{20}(?:\x10\C|\C[\x04\x06])\C*"
    # A PNG with transparent colours; an orientation in EXIF or XMP; a JPEG of four components.
    r"|\C*(?:tRNS|eXIf|Exif\x00\x00|tiff:Orientation|\x00\x14\x08\C{4}\x04)\C*"
)
_CMYK = 4


def may_differ(image_bytes: tf.Tensor) -> tf.Tensor:
    """Tell of which files `decode_raw` may give other pixels than `decode`.

    Args:
      image_bytes: string, of any shape.

    Returns:
      bool, of the same shape.
    """
    return tf.strings.regex_full_match(image_bytes, _MAY_DIFFER)


def decode_raw(image_bytes: tf.Tensor, reading: ImageReading) -> tf.Tensor:
    """Decode one file as `decode` decodes what `contracts.image_bytes.canonicalise` makes of it.

    serving_images.md, beside this module, names the files whose pixels differ. The limits of
    `reading` on bytes, pixels and aspect are not applied.

    Args:
      image_bytes: string [], a file as it was found.
      reading: `background` and `integer_range` become constants of the graph.

    Returns:
      uint8 [height, width, 3], RGB.

    Raises:
      tf.errors.InvalidArgumentError: the bytes are no image that TensorFlow decodes, a JPEG has
        four colour components (CMYK), or 16-bit values lie outside of `integer_range`.
    """
    return tf.cond(
        may_differ(image_bytes),
        lambda: _decode_by_kind(image_bytes, reading),
        lambda: decode(image_bytes),
    )


def _decode_by_kind(raw: tf.Tensor, reading: ImageReading) -> tf.Tensor:
    is_jpeg = _begins_with(raw, jpeg_segments.SIGNATURE)
    is_png = _begins_with(raw, png_chunks.SIGNATURE)
    exif, xmp, has_transparency = tf.case(
        [
            (is_jpeg, lambda: _jpeg_metadata(raw)),
            (is_png, lambda: tuple(png_chunks.read_chunks(raw))),
        ],
        default=lambda: (tf.constant(b""), tf.constant(b""), tf.constant(False)),
    )
    orientation = orientation_of(exif, xmp)
    is_turned = orientation != UPRIGHT
    pixels = tf.case(
        [
            (is_jpeg & is_turned, lambda: _decode_turned_jpeg(raw)),
            (is_png, lambda: opaque_pixels(raw, has_transparency, reading)),
        ],
        default=lambda: decode(raw),
    )
    return tf.cond(is_turned, lambda: upright(pixels, orientation), lambda: pixels)


def _begins_with(raw: tf.Tensor, signature: bytes) -> tf.Tensor:
    return tf.equal(tf.strings.substr(raw, 0, len(signature)), signature)


def _jpeg_metadata(raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return EXIF, XMP, and that there is no transparency, as `png_chunks` does of a PNG."""
    segments = jpeg_segments.read_segments(raw)
    refusal = (
        "expected a JPEG of 1 or 3 colour components, received one of 4 (CMYK). "
        "Canonicalise it first, as assets.extra/serving_images.md beside the model says."
    )
    tf.debugging.Assert(segments.components != _CMYK, [refusal])
    return segments.exif, segments.xmp, tf.constant(False)


def _decode_turned_jpeg(raw: tf.Tensor) -> tf.Tensor:
    # The canonical form of a turned file is PNG with Pillow's pixels, which the accurate
    # transform gives to the bit. That of an upright file is the file itself.
    return tf.io.decode_jpeg(raw, channels=CHANNELS, dct_method="INTEGER_ACCURATE")
