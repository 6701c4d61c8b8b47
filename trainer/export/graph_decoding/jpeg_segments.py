"""What the segments of a JPEG file say before its first scan.

Source: ITU-T T.81, B.1.1 and table B.1; Pillow's JpegImagePlugin for how they are read.
"""

from typing import NamedTuple

import tensorflow as tf

SIGNATURE = b"\xff\xd8\xff"
# Each step takes microseconds, and a damaged file may need one for every byte.
MOST_STEPS = 65_536

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
# 0xFF and the marker, the length and, in a frame, sample bits, height, width and components.
_HEADER_BYTES = 10

# What a marker begins, by its code: nothing (filling, or 0xFF among data), a marker without a
# length (restarts, start and end of an image, reserved ones), any other segment, or one of these.
_NOTHING, _BARE, _SEGMENT, _FRAME, _APP1, _SCAN = range(6)
_FRAME_CODES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_KINDS = (
    dict.fromkeys(range(256), _SEGMENT)
    | dict.fromkeys((0x00, 0xFF), _NOTHING)
    | dict.fromkeys((0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)), _BARE)
    | dict.fromkeys(_FRAME_CODES, _FRAME)
    | {0xE1: _APP1, 0xDA: _SCAN}
)


class JpegSegments(NamedTuple):
    """Metadata of a JPEG: strings [], empty where there is none."""

    is_jpeg: tf.Tensor  # bool []; where it is not, nothing else is read
    exif: tf.Tensor  # the Exif segments joined, without their names
    xmp: tf.Tensor  # the last XMP segment
    components: (
        tf.Tensor
    )  # int32 [], of the last frame header: 1 grey, 3 colour, 4 CMYK; 0 without one


def read_segments(raw: tf.Tensor) -> JpegSegments:
    """Return what the segments of `raw`, string [], say up to the first scan.

    Raises:
      tf.errors.InvalidArgumentError: it takes more than `MOST_STEPS` to get there.
    """
    is_jpeg = tf.strings.substr(raw, 0, len(SIGNATURE)) == SIGNATURE
    last = tf.where(is_jpeg, tf.strings.length(raw) - _HEADER_BYTES, -1)

    def goes_on(position: tf.Tensor, kind: tf.Tensor, _: JpegSegments) -> tf.Tensor:
        return (position <= last) & (kind != _SCAN)

    def step(
        position: tf.Tensor, _: tf.Tensor, segments: JpegSegments
    ) -> tuple[tf.Tensor, tf.Tensor, JpegSegments]:
        header = tf.io.decode_raw(tf.strings.substr(raw, position, _HEADER_BYTES), tf.uint8)
        first, code, high, low, *_, components = tf.unstack(tf.cast(header, tf.int32), 10)
        # Bytes that are not a marker are skipped one by one.
        kind = tf.where(first == 0xFF, tf.gather(list(_KINDS.values()), code), _NOTHING)
        size = tf.where(kind >= _SEGMENT, tf.maximum(256 * high + low, 2), 0)
        segments = segments._replace(
            components=tf.where(kind == _FRAME, components, segments.components)
        )
        content = tf.strings.substr(raw, position + 4, tf.where(kind == _APP1, size - 2, 0))
        segments = _with_metadata(segments, content)
        return position + tf.where(kind == _NOTHING, 1, 2) + size, kind, segments

    nothing = JpegSegments(is_jpeg, tf.constant(b""), tf.constant(b""), tf.constant(0))
    start = (tf.constant(len(SIGNATURE) - 1), tf.constant(_NOTHING), nothing)
    position, kind, segments = tf.while_loop(goes_on, step, start, maximum_iterations=MOST_STEPS)
    refusal = f"expected the first scan of a JPEG within {MOST_STEPS} segments and bytes between."
    tf.raw_ops.Assert(condition=~goes_on(position, kind, segments), data=[refusal])
    return JpegSegments(*segments)


def _with_metadata(segments: JpegSegments, content: tf.Tensor) -> JpegSegments:
    def is_named(name: bytes) -> tf.Tensor:
        return tf.strings.substr(content, 0, len(name)) == name

    block = tf.strings.regex_replace(content, r"^Exif\x00\x00", "", replace_global=False)
    return segments._replace(
        exif=tf.where(is_named(_EXIF), segments.exif + block, segments.exif),
        xmp=tf.where(is_named(_XMP), content, segments.xmp),
    )
