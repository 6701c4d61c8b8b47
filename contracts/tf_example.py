"""tf.Example without TensorFlow, the same bytes for the same values.

Source: tensorflow/core/example/{example,feature}.proto and the protocol buffer wire format.
"""

import struct
from collections.abc import Mapping
from functools import cache

_ONE_BYTE = [bytes([value]) for value in range(0x80)]
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3

Scalar = bytes | int | float


def serialise(values: Mapping[str, Scalar]) -> bytes:
    """Return a serialised tf.Example of one value a feature, in the order of their names.

    A `float` is stored as float32, an `int` as int64.
    """
    entries = [
        _field(1, _name(name) + _field(2, _feature(values[name]))) for name in sorted(values)
    ]
    return _field(1, b"".join(entries))


@cache
def _name(name: str) -> bytes:
    """Return the key of a map entry; there are a dozen names in all."""
    return _field(1, name.encode())


def _feature(value: Scalar) -> bytes:
    """Return a serialised tf.Feature that holds one value."""
    if isinstance(value, bytes):
        return _field(_BYTES_LIST, _field(1, value))
    if isinstance(value, float):
        return _field(_FLOAT_LIST, _field(1, struct.pack("<f", value)))
    return _field(_INT64_LIST, _field(1, _varint(value)))


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
