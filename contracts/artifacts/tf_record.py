"""TFRecord files without TensorFlow.

Source: tensorflow/core/lib/io/record_writer.h.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from contracts.system.atomic_files import PartialFile, whole_file

_BUFFER_BYTES = 1 << 20
_MASK_DELTA = 0xA282EAD8
_CHECKSUM_BYTES = 4
_HEAD_BYTES = 8 + _CHECKSUM_BYTES
_FRAME_BYTES = _HEAD_BYTES + _CHECKSUM_BYTES


class RecordWriter:
    """Writes the records of an uncompressed TFRecord file; `partial` says what it will be called.

    Raises:
      OSError: the file cannot be written, e.g. the disk is full.
    """

    def __init__(self, file: BinaryIO, partial: PartialFile) -> None:
        self.partial = partial
        self._file = file

    def write(self, record: bytes) -> bytes:
        """Append a record; return its checksum, masked CRC-32C, as it stands in the file."""
        length, checksum = struct.pack("<Q", len(record)), _masked_checksum(record)
        self._file.write(length + _masked_checksum(length))
        self._file.write(record)
        self._file.write(checksum)
        return checksum


@contextmanager
def record_writer(path: Path) -> Iterator[RecordWriter]:
    """Give a writer of a file that appears at the end of the block, whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        whole_file(path) as partial,
        partial.path.open("wb", buffering=_BUFFER_BYTES) as file,
    ):
        yield RecordWriter(file, partial)


def _masked_checksum(data: bytes) -> bytes:
    """Return the CRC-32C of `data`, masked since records may hold checksums themselves."""
    checksum = google_crc32c.value(data)
    masked = ((checksum >> 15 | checksum << 17) + _MASK_DELTA) & 0xFFFFFFFF
    return struct.pack("<I", masked)


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give the records of an uncompressed TFRecord file, each with where it begins.

    Raises:
      ValueError: the file is cut off or damaged.
      OSError: it cannot be read.
    """
    with path.open("rb", buffering=_BUFFER_BYTES) as file:
        position = 0
        while True:
            record = _next_record(file, path)
            if record is None:
                return
            yield position, record
            position += _FRAME_BYTES + len(record)


def record_positions(path: Path) -> Iterator[int]:
    """Give where each record of an uncompressed TFRecord file begins; reads only the headers.

    Raises:
      ValueError: the file is cut off or damaged.
      OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        position = 0
        while position < size:
            length = _length(os.pread(file.fileno(), _HEAD_BYTES, position))
            after = position + _FRAME_BYTES + (length or 0)
            if length is None or after > size:
                raise _damaged(path)
            yield position
            position = after


def record_at(path: Path, position: int) -> bytes:
    """Return the record that begins at a position, as `read_records` gave it.

    Raises:
      ValueError: there is none, or it is damaged.
      OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(position)
        record = _next_record(file, path)
    if record is None:
        raise ValueError(f"{path}: expected a record at byte {position}, found the end.")
    return record


def _next_record(file: BinaryIO, path: Path) -> bytes | None:
    head = file.read(_HEAD_BYTES)
    if not head:
        return None
    length = _length(head)
    if length is not None:
        body = file.read(length + _CHECKSUM_BYTES)
        whole = len(body) == length + _CHECKSUM_BYTES
        if whole and _masked_checksum(body[:-_CHECKSUM_BYTES]) == body[-_CHECKSUM_BYTES:]:
            return body[:-_CHECKSUM_BYTES]
    raise _damaged(path)


def _length(head: bytes) -> int | None:
    """Return the size of the record after a header; None if the header is damaged."""
    if len(head) != _HEAD_BYTES or _masked_checksum(head[:8]) != head[8:]:
        return None
    length: int = struct.unpack("<Q", head[:8])[0]
    return length


def _damaged(path: Path) -> ValueError:
    return ValueError(f"{path}: expected a whole TFRecord file, found it cut off or damaged.")
