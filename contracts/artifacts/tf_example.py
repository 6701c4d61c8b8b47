"""tf.Example without TensorFlow, the same bytes for the same values.

Source: tensorflow/core/example/{example,feature}.proto and the protocol buffer wire format.
"""

import struct
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

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
    """Return the bytes of an entry before its value: a list of this kind, of `size` bytes."""
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


def parse(serialised: bytes, names: Iterable[str]) -> dict[str, Any]:
    """Return the first value of each of the named features.

    Raises:
      ValueError: these bytes are no tf.Example, or it lacks one of the features.
    """
    from google.protobuf.message import DecodeError

    example = _message_class()()
    try:
        example.ParseFromString(serialised)
    except DecodeError as error:
        raise ValueError(f"no tf.Example: {error}") from error
    found = example.features.feature
    values: dict[str, Any] = {}
    for name in names:
        kind = found[name].WhichOneof("kind")
        some = getattr(found[name], kind).value if kind else ()
        if not some:
            raise ValueError(f"expected a tf.Example with the feature {name}, found none.")
        values[name] = some[0]
    return values


@cache
def _message_class() -> Any:
    """Return the class of tf.Example, made from the field numbers of its definition."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field: Any = descriptor_pb2.FieldDescriptorProto
    factory: Any = message_factory
    file = descriptor_pb2.FileDescriptorProto(
        name="imgpipe/example.proto", package="imgpipe", syntax="proto3"
    )

    def message(name: str, *fields: Any) -> Any:
        return file.message_type.add(name=name, field=fields)

    def one(name: str, number: int, kind: str, **options: Any) -> Any:
        type_ = {"type_name": f".imgpipe.{kind}"} if kind[0].isupper() else {}
        number_of = field.TYPE_MESSAGE if type_ else getattr(field, f"TYPE_{kind.upper()}")
        label = options.pop("label", field.LABEL_OPTIONAL)
        return field(name=name, number=number, type=number_of, label=label, **type_, **options)

    for kind, scalar in _LISTS.items():
        message(kind, one("value", 1, scalar, label=field.LABEL_REPEATED))
    lists = zip(("bytes_list", "float_list", "int64_list"), _LISTS, strict=True)
    kinds = [one(name, number, kind, oneof_index=0) for number, (name, kind) in enumerate(lists, 1)]
    message("Feature", *kinds).oneof_decl.add(name="kind")
    features = message("Features", one("feature", 1, "Features.Entry", label=field.LABEL_REPEATED))
    entry = features.nested_type.add(
        name="FeatureEntry", field=[one("key", 1, "string"), one("value", 2, "Feature")]
    )
    entry.options.map_entry = True
    features.field[0].type_name = ".imgpipe.Features.FeatureEntry"
    message("Example", one("features", 1, "Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("imgpipe.Example")
    if hasattr(factory, "GetMessageClass"):
        return factory.GetMessageClass(found)
    return factory.MessageFactory(pool).GetPrototype(found)  # protobuf 3


_LISTS = {"BytesList": "bytes", "FloatList": "float", "Int64List": "int64"}
