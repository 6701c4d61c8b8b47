"""TFRecord files without TensorFlow.

Source: tensorflow/core/lib/io/record_writer.h.
"""

import struct
from pathlib import Path
from types import TracebackType

import google_crc32c

_BUFFER_BYTES = 1 << 20
_MASK_DELTA = 0xA282EAD8


class RecordWriter:
    """Writes an uncompressed TFRecord file that gets its name only when it is whole.

    As a context manager it takes the name, with `suffix`, at the end of the block, and leaves
    nothing behind where the block raises.

    Raises:
      OSError: the file cannot be written, e.g. the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.suffix = ""
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._partial.open("wb", buffering=_BUFFER_BYTES)

    def write(self, record: bytes) -> None:
        """Append a record."""
        length = struct.pack("<Q", len(record))
        self._file.write(length + _masked_checksum(length))
        self._file.write(record)
        self._file.write(_masked_checksum(record))

    def __enter__(self) -> "RecordWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
            if error is None:
                self._partial.replace(self._path.with_name(self._path.name + self.suffix))
        finally:
            self._partial.unlink(missing_ok=True)


def _masked_checksum(data: bytes) -> bytes:
    """Return the CRC-32C of `data`, masked since records may hold checksums themselves."""
    checksum = google_crc32c.value(data)
    masked = ((checksum >> 15 | checksum << 17) + _MASK_DELTA) & 0xFFFFFFFF
    return struct.pack("<I", masked)
