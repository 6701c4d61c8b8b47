"""What the chunks of a PNG file say besides its pixels.

Source: PNG specification, third edition, sections 5 and 11; Pillow's PngImagePlugin for how they
are read.
"""

from typing import NamedTuple

import tensorflow as tf

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Each step takes microseconds, and a damaged file may need one for every 12 bytes.
MOST_STEPS = 65_536

_FRAME_BYTES = 12  # length, name and checksum around the content of a chunk
# Keyword, its end, and the flag of text that is not compressed.
_XMP = b"XML:com.adobe.xmp\0\0"


class PngChunks(NamedTuple):
    """Metadata of a PNG: strings [], empty where there is none, and bools []."""

    is_png: tf.Tensor  # where it is not, nothing else is read
    exif: tf.Tensor  # the last eXIf chunk
    xmp: tf.Tensor  # the last XMP packet
    has_transparency: tf.Tensor  # there is a tRNS chunk


def read_chunks(raw: tf.Tensor) -> PngChunks:
    """Return what the chunks of `raw`, string [], hold.

    Raises:
      tf.errors.InvalidArgumentError: there are more than `MOST_STEPS`.
    """
    is_png = tf.strings.substr(raw, 0, len(SIGNATURE)) == SIGNATURE
    length = tf.where(is_png, tf.cast(tf.strings.length(raw), tf.int64), 0)

    def goes_on(position: tf.Tensor, _: PngChunks) -> tf.Tensor:
        return position <= length - _FRAME_BYTES

    def step(position: tf.Tensor, chunks: PngChunks) -> tuple[tf.Tensor, PngChunks]:
        size = tf.io.decode_raw(tf.strings.substr(raw, position, 4), tf.uint8)
        size = tf.reduce_sum(tf.cast(size, tf.int64) * [1 << 24, 1 << 16, 1 << 8, 1])
        name = tf.strings.substr(raw, position + 4, 4)
        content = tf.strings.substr(raw, position + 8, size)
        is_xmp = (name == b"iTXt") & (tf.strings.substr(content, 0, len(_XMP)) == _XMP)
        chunks = PngChunks(
            is_png,
            exif=tf.where(name == b"eXIf", content, chunks.exif),
            xmp=tf.where(is_xmp, content, chunks.xmp),
            has_transparency=chunks.has_transparency | (name == b"tRNS"),
        )
        return tf.where(name == b"IEND", length, position + _FRAME_BYTES + size), chunks

    nothing = PngChunks(is_png, tf.constant(b""), tf.constant(b""), tf.constant(False))
    start = (tf.constant(len(SIGNATURE), tf.int64), nothing)
    position, chunks = tf.while_loop(goes_on, step, start, maximum_iterations=MOST_STEPS)
    refusal = f"expected a PNG of at most {MOST_STEPS} chunks."
    tf.raw_ops.Assert(condition=~goes_on(position, chunks), data=[refusal])
    return PngChunks(*chunks)
