import errno
from pathlib import Path

import pytest

from components.image_example_gen.tf_example import serialise
from components.image_example_gen.tf_record import RecordWriter
from contracts import features

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


def test_tensorflow_reads_the_records(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    records = [b"", b"one", bytes(2_000_000)]
    path = tmp_path / "Split-train" / "data"
    with RecordWriter(path) as writer:
        for record in records:
            writer.write(record)
    assert list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()) == records
    with RecordWriter(tmp_path / "none"):
        pass
    assert list(tf.data.TFRecordDataset(str(tmp_path / "none"))) == []


def test_a_file_gets_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with pytest.raises(KeyError), RecordWriter(path) as writer:
        writer.write(b"one")
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".data.partial").symlink_to("/dev/full")
    with pytest.raises(OSError) as caught, RecordWriter(tmp_path / "data") as writer:
        writer.write(b"one")
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
