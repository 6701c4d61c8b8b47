"""One raw file -> upright, opaque 8-bit pixels."""

import tensorflow as tf

from contracts.artifacts.image_dataset import CHANNELS
from contracts.images.reading import ImageReading
from trainer.export.graph_decoding import jpeg_segments, png_chunks, png_pixels
from trainer.export.graph_decoding.orientation import UPRIGHT, orientation_of, upright
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
    """Return for which files `decode_raw` may give other pixels than `decode`.

    Args:
      image_bytes: string, of any shape.

    Returns:
      bool, of the same shape.
    """
    return tf.strings.regex_full_match(image_bytes, _MAY_DIFFER)


def decode_raw(image_bytes: tf.Tensor, reading: ImageReading) -> tf.Tensor:
    """Decode one file as `decode` decodes what `canonicalise` makes of it.

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
    # Each branch is a function of its own in the SavedModel, which costs time to write, load and
    # call for the first time. Where both sides are cheap, `tf.where` chooses between them.
    segments = jpeg_segments.read_segments(raw)
    chunks = png_chunks.read_chunks(raw)
    _refuse_cmyk(segments.components)
    # A file is a JPEG or a PNG: what the other kind would say is empty.
    orientation = orientation_of(segments.exif + chunks.exif, segments.xmp + chunks.xmp)
    depth = png_pixels.read_depth(raw)
    first_that_holds = tf.argmax(
        tf.cast(
            [
                segments.is_jpeg & (orientation != UPRIGHT),
                chunks.is_png & depth.is_deep,
                chunks.is_png & (depth.has_alpha | chunks.has_transparency),
                True,
            ],
            tf.int32,
        ),
        output_type=tf.int32,
    )
    pixels = tf.switch_case(
        first_that_holds,
        [
            lambda: _decode_turned_jpeg(raw),
            lambda: png_pixels.deep_pixels(raw, reading),
            lambda: png_pixels.blended_pixels(raw, reading),
            lambda: decode(raw),
        ],
    )
    return upright(pixels, orientation)


def _refuse_cmyk(components: tf.Tensor) -> None:
    refusal = (
        "expected a JPEG of 1 or 3 colour components, received one of 4 (CMYK). "
        "Canonicalise it first, as assets.extra/serving_images.md beside the model says."
    )
    tf.raw_ops.Assert(condition=components != _CMYK, data=[refusal])


def _decode_turned_jpeg(raw: tf.Tensor) -> tf.Tensor:
    # The canonical form of a turned file is PNG with Pillow's pixels, which the accurate
    # transform gives to the bit. That of an upright file is the file itself.
    return tf.io.decode_jpeg(raw, channels=CHANNELS, dct_method="INTEGER_ACCURATE")
