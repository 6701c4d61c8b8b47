"""tf.Examples without TensorFlow are those of TensorFlow."""

import pytest

from contracts.artifacts import features
from contracts.artifacts.tf_example import parse, serialise

VALUES = {
    features.ENCODED: bytes(range(256)) * 3,
    features.LABEL: "Köter".encode(),
    features.WIDTH: 70_000,
    features.HEIGHT: 0,
    features.FILE_BYTES: -1,
    features.CHANNELS: 2**40 + 5,
    features.ASPECT: 1.5,
    features.BRIGHTNESS: 0.1,
}


def test_examples_are_those_of_tensorflow_byte_for_byte() -> None:
    example_pb2 = pytest.importorskip("tensorflow.core.example.example_pb2")
    example = example_pb2.Example()
    for name, value in VALUES.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif isinstance(value, float):
            feature.float_list.value.append(value)
        else:
            feature.int64_list.value.append(value)
    serialised = serialise(VALUES)
    assert serialised == example.SerializeToString(deterministic=True)
    assert example_pb2.Example.FromString(serialised) == example


def test_order_of_features_does_not_count() -> None:
    assert serialise(dict(reversed(VALUES.items()))) == serialise(VALUES)


def test_what_was_serialised_is_parsed() -> None:
    parsed = parse(serialise(VALUES), VALUES)
    assert parsed.pop(features.BRIGHTNESS) == pytest.approx(0.1)
    assert parsed == {key: VALUES[key] for key in VALUES if key != features.BRIGHTNESS}
    assert parse(b"", []) == {}
    with pytest.raises(ValueError, match="with the feature image/width, found none"):
        parse(b"", [features.WIDTH])


def test_other_bytes_are_no_example() -> None:
    with pytest.raises(ValueError, match=r"no tf\.Example"):
        parse(b"\xff\xff\xff", [])
