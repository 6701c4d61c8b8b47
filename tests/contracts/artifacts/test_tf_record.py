import errno
from pathlib import Path

import pytest

from contracts.artifacts.tf_record import read_records, record_at, record_positions, record_writer


def test_tensorflow_reads_the_records(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    records = [b"", b"one", bytes(2_000_000)]
    path = tmp_path / "Split-train" / "data"
    with record_writer(path) as writer:
        for record in records:
            writer.write(record)
    assert list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()) == records
    with record_writer(tmp_path / "none"):
        pass
    assert list(tf.data.TFRecordDataset(str(tmp_path / "none"))) == []


def test_a_file_gets_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with pytest.raises(KeyError), record_writer(path) as writer:
        writer.write(b"one")
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".data.partial").symlink_to("/dev/full")
    with pytest.raises(OSError) as caught, record_writer(tmp_path / "data") as writer:
        writer.write(b"one")
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_records_come_back_from_where_they_begin(tmp_path: Path) -> None:
    records = [b"", b"one", bytes(2_000_000)]
    path = tmp_path / "data"
    with record_writer(path) as writer:
        for record in records:
            writer.write(record)
    found = list(read_records(path))
    assert [record for _, record in found] == records
    assert [record_at(path, position) for position, _ in found] == records
    assert list(record_positions(path)) == [position for position, _ in found]
    with pytest.raises(ValueError, match="expected a record at byte 2000051, found the end"):
        record_at(path, path.stat().st_size)


def test_places_are_not_told_of_a_file_whose_lengths_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with record_writer(path) as writer:
        writer.write(b"one")
        writer.write(b"two")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(
        ValueError, match="expected a whole TFRecord file, found it cut off or damaged"
    ):
        list(record_positions(path))


@pytest.mark.parametrize("damage", [slice(0, 1), slice(14, 15), slice(-3, None), slice(-1, None)])
def test_a_damaged_file_is_no_shorter_list_of_records(tmp_path: Path, damage: slice) -> None:
    path = tmp_path / "data"
    with record_writer(path) as writer:
        writer.write(b"some record")
    raw = bytearray(path.read_bytes())
    raw[damage] = b"" if damage.stop is None else b"\xff"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="data: expected a whole TFRecord file"):
        list(read_records(path))
