"""The orientation of an image by its EXIF or XMP, and pixels turned by it.

Source: CIPA DC-008 (Exif), 4.6.5, tag 274; TIFF 6.0, section 2; Pillow's `Image.getexif` for what
damaged blocks mean.
"""

import numpy as np
import tensorflow as tf

UPRIGHT = 1

_ABSENT = 0
_ORIENTATION = 0x0112
_TIFF_HEADER_BYTES = 8
_ENTRY_BYTES = 12
# Tag, type, number of values, and the value or where it lies.
_FIELDS = ((0, 2), (2, 4), (4, 8), (8, 12))
# A value of up to 4 bytes stands in its entry, a longer one where the entry points to.
_INLINE_BYTES = 4
# The valid signature of each byte order, and the others that Pillow accepts.
_SIGNATURES = [b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"MM\0+"]
# Bytes of a value by its TIFF type, 0 for unknown types; and the types that are integers.
_VALUE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 0)
_INTEGERS = (3, 4, 6, 8, 9, 13, 16)
_IN_XMP = r'(?s)\C*?tiff:Orientation(?:="|>)([0-9])\C*'

# By orientation: whether rows and columns change places, and which are reversed after that.
_AXES = [[0, 1, 2]] * 5 + [[1, 0, 2]] * 4
_REVERSED = [
    *([False, False, False], [False, False, False], [False, True, False]),  # 0 is none
    *([True, True, False], [True, False, False]),
    *([False, False, False], [False, True, False]),
    *([True, True, False], [True, False, False]),
]


def orientation_of(exif: tf.Tensor, xmp: tf.Tensor) -> tf.Tensor:
    """Return the orientation, int32 [], 1 to 8; 1 where none can be read.

    XMP counts where there is no EXIF, and where EXIF can be read and does not say it.

    Args:
      exif: string [], an EXIF block, which is a TIFF file without pixels; may be empty.
      xmp: string [], an XMP packet; may be empty.
    """
    tiff = tf.strings.regex_replace(exif, r"^(?:Exif\x00\x00)+", "", replace_global=False)
    length = tf.strings.length(tiff)
    is_tiff = tf.reduce_any(tf.strings.substr(tiff, 0, 4) == _SIGNATURES)
    is_tiff &= length >= _TIFF_HEADER_BYTES
    by_exif = tf.where(is_tiff, _in_tiff(tiff), tf.where(length == 0, _ABSENT, UPRIGHT))
    return tf.where(by_exif == _ABSENT, _in_xmp(xmp), by_exif)


def upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Return pixels, uint8 [height, width, channels], turned as their orientation asks."""
    turned = tf.transpose(pixels, tf.gather(_AXES, orientation))
    # Unlike `tf.reverse`, the operation itself takes the axes as a tensor.
    return tf.raw_ops.Reverse(tensor=turned, dims=tf.gather(_REVERSED, orientation))


def _in_xmp(xmp: tf.Tensor) -> tf.Tensor:
    # Where nothing is found, the whole packet stays, which is no digit.
    digit = tf.strings.regex_replace(xmp, _IN_XMP, r"\1", replace_global=False)
    is_digit = tf.cast(digit == [str(orientation) for orientation in range(9)], tf.int32)
    return _valid(tf.argmax(is_digit))


def _in_tiff(tiff: tf.Tensor) -> tf.Tensor:
    """Return what the first directory of a TIFF file says, `_ABSENT` where it does not.

    Entries are read up to the first one whose value lies outside of the file. Of bytes that are
    no TIFF file, the result means nothing.
    """
    is_little = tf.strings.substr(tiff, 0, 2) == b"II"
    content = tf.io.decode_raw(tiff, tf.uint8)
    length = tf.size(content, tf.int64)
    entries, first = _directory(content, is_little)
    # One more entry in front, of zeros, stands for none.
    entries = tf.pad(entries, [[1, 0], [0, 0]])
    positions = tf.range(tf.shape(entries, tf.int64)[0])
    weights = tf.where(is_little, _weights("little"), _weights("big"))
    fields = tf.reduce_sum(tf.cast(entries, tf.int64)[..., tf.newaxis] * weights, axis=1)
    tags, kinds, counts, pointers = tf.unstack(fields, axis=1)
    kinds = tf.minimum(kinds, len(_VALUE_BYTES) - 1)
    value_bytes = tf.gather(tf.constant(_VALUE_BYTES, tf.int64), kinds)
    size = value_bytes * counts
    inline = first + _ENTRY_BYTES * (positions - 1) + 8
    place = tf.where(size > _INLINE_BYTES, pointers, inline)
    is_readable = tf.cumsum(tf.cast(place + size > length, tf.int32)) == 0
    is_found = (tags == _ORIENTATION) & is_readable & (size > 0)
    last = tf.reduce_max(tf.where(is_found, positions, 0))
    number = content[place[last] : place[last] + value_bytes[last]]
    is_integer = tf.reduce_any(kinds[last] == tf.constant(_INTEGERS, tf.int64))
    value = tf.where(is_integer, _valid(_number(number, is_little)), UPRIGHT)
    return tf.where(last > 0, value, _ABSENT)


def _weights(order: str) -> tf.Tensor:
    """Return the weight of each byte of an entry in its four numbers, int64 [12, 4]."""
    weights = np.zeros((_ENTRY_BYTES, len(_FIELDS)), np.int64)
    for column, (first, last) in enumerate(_FIELDS):
        powers = [256**power for power in range(last - first)]
        weights[first:last, column] = powers if order == "little" else powers[::-1]
    return tf.constant(weights)


def _directory(content: tf.Tensor, is_little: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the whole entries of the first directory, uint8 [entries, 12], and where they begin.

    Args:
      content: uint8 [bytes], a TIFF file; shorter ones have no entry.
      is_little: bool [], its byte order.
    """
    length = tf.size(content, tf.int64)
    start = tf.minimum(_number(content[4:8], is_little), length)
    first = start + 2
    # Where the number of entries is cut off, there is no room for one either.
    number = _number(tf.pad(content, [[0, 2]])[start:first], is_little)
    number = tf.maximum(tf.minimum(number, (length - first) // _ENTRY_BYTES), 0)
    entries = content[first : first + number * _ENTRY_BYTES]
    return tf.reshape(entries, [-1, _ENTRY_BYTES]), first


def _number(content: tf.Tensor, is_little: tf.Tensor) -> tf.Tensor:
    """Return the unsigned integers along the last axis, uint8 [..., bytes], as int64 [...]."""
    in_order = tf.where(is_little, content, tf.reverse(content, [-1]))
    shifts = 8 * tf.range(tf.shape(content, tf.int64)[-1])
    return tf.reduce_sum(tf.bitwise.left_shift(tf.cast(in_order, tf.int64), shifts), axis=-1)


def _valid(orientation: tf.Tensor) -> tf.Tensor:
    is_valid = (orientation >= 1) & (orientation <= 8)
    return tf.cast(tf.where(is_valid, orientation, UPRIGHT), tf.int32)
