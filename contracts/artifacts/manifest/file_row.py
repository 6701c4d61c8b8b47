"""The rows of the manifest as the decode processes write them; the parent makes Parquet of them.

The decode processes do not import pyarrow: it would take as long as all their other imports.
"""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from contracts.system.atomic_files import whole_file

INGESTED, QUARANTINED = "ingested", "quarantined"

FILES_FOLDER = "files"
PART_PREFIX = "part-"  # of the file of a shard's rows

ROWS_A_GROUP = 4096


class FileRow(NamedTuple):
    """The outcome of a file; a field is None if it is unknown or does not apply."""

    path: str  # relative to the data root, valid text
    label: str | None
    split: str | None  # only of an ingested file
    group: str | None
    status: str  # INGESTED or QUARANTINED
    reason: str | None = None  # a stable name, only of a quarantined file
    detail: str | None = None  # a half sentence; for an ingested file, what it has lost
    sha256: str | None = None  # lower-case hex of the file as it was found
    width: int | None = None  # pixels, upright
    height: int | None = None
    file_bytes: int | None = None
    source_format: str | None = None


def rows_path(manifest_uri: str, part: str) -> Path:
    """Return the file with the rows of a part, before they become a table."""
    return Path(manifest_uri, FILES_FOLDER, f".{part}.rows")


class RowWriter:
    """Writes rows for `read_rows_file`; memory does not grow with them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rows: list[tuple[object, ...]] = []

    def add(self, row: FileRow) -> None:
        """Append a row."""
        self._rows.append(tuple(row))
        if len(self._rows) == ROWS_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write the buffered rows."""
        if self._rows:
            pickle.dump(self._rows, self._file, pickle.HIGHEST_PROTOCOL)
            self._rows.clear()


@contextmanager
def row_writer(path: Path) -> Iterator[RowWriter]:
    """Give a writer of a file that appears at the end of the block, whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial, partial.path.open("wb") as file:
        writer = RowWriter(file)
        yield writer
        writer.flush()


def read_rows_file(path: Path) -> Iterator[list[tuple[Any, ...]]]:
    """Give the rows of a file of `row_writer`, a row group at a time."""
    with path.open("rb") as file:
        while file.peek(1):
            yield pickle.load(file)
