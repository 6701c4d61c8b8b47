"""tf.Example without TensorFlow, the same bytes for the same values.

Source: tensorflow/core/example/{example,feature}.proto and the protocol buffer wire format.
"""

import struct
from collections.abc import Mapping
from functools import cache, lru_cache

_ONE_BYTE = [bytes([value]) for value in range(0x80)]
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_FEATURES_CACHED = 256

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
        return _entry_of(name, _BYTES_LIST, _field(1, value))
    if isinstance(value, float):
        return _entry_of(name, _FLOAT_LIST, b"\x0a\x04" + struct.pack("<f", value))
    return _int_entry(name, value)


@lru_cache(_FEATURES_CACHED)
def _int_entry(name: str, value: int) -> bytes:
    """Return an entry of an integer; sizes and channels are often the same."""
    return _entry_of(name, _INT64_LIST, _field(1, _varint(value)))


def _entry_of(name: str, kind: int, packed: bytes) -> bytes:
    """Return an entry whose feature is a list of this kind."""
    feature = _ONE_BYTE[kind << 3 | 2] + _varint(len(packed)) + packed
    inner = _key(name) + _varint(len(feature)) + feature
    return b"\x0a" + _varint(len(inner)) + inner


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
