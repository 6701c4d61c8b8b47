"""tf.Example without TensorFlow, the same bytes for the same values.

Source: tensorflow/core/example/{example,feature}.proto and the protocol buffer wire format.
"""

import struct
from collections.abc import Mapping
from functools import cache, lru_cache

_ONE_BYTE = [bytes([value]) for value in range(0x80)]
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_FLOAT = struct.Struct("<f")
_ENTRIES_CACHED = 4096

Scalar = bytes | int | float


def serialise(values: Mapping[str, Scalar]) -> bytes:
    """Return a serialised tf.Example of one value a feature, in the order of their names.

    A `float` is stored as float32, an `int` as int64.
    """
    entries = b"".join([_entry(name, values[name]) for name in sorted(values)])
    return _field(1, entries)


def _entry(name: str, value: Scalar) -> bytes:
    """Return an entry of the map from names to features."""
    if isinstance(value, bytes):
        return _head(name, _BYTES_LIST, len(value)) + value
    if isinstance(value, float):
        return _head(name, _FLOAT_LIST, _FLOAT.size) + _FLOAT.pack(value)
    return _int_entry(name, value)


@lru_cache(_ENTRIES_CACHED)
def _int_entry(name: str, value: int) -> bytes:
    """Return an entry of an integer; sizes and channels are often the same."""
    packed = _varint(value)
    return _head(name, _INT64_LIST, len(packed)) + packed


@lru_cache(_ENTRIES_CACHED)
def _head(name: str, kind: int, size: int) -> bytes:
    """Return all of an entry that comes before its value of so many bytes, a list of this kind."""
    values = b"\x0a" + _varint(size)
    values_size = len(values) + size
    feature = _ONE_BYTE[kind << 3 | 2] + _varint(values_size) + values
    feature_size = len(feature) + size
    inner = _key(name) + _varint(feature_size) + feature
    return b"\x0a" + _varint(len(inner) + size) + inner


@cache
def _key(name: str) -> bytes:
    """Return the key of an entry and the tag of its value; there are a dozen names in all."""
    return _field(1, name.encode()) + b"\x12"


def _field(number: int, payload: bytes) -> bytes:
    """Return a length-delimited field: messages, bytes, and packed numbers."""
    return _ONE_BYTE[number << 3 | 2] + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    """Return an integer of at most 64 bits, negative ones in two's complement."""
    if 0 <= value < 0x80:
        return _ONE_BYTE[value]
    value &= 0xFFFFFFFFFFFFFFFF
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
