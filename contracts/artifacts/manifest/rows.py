"""The manifest: a row for every file that was found, in Parquet files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.artifacts.manifest.file_row import (
    FILES_FOLDER,
    INGESTED,
    PART_PREFIX,
    QUARANTINED,
    ROWS_A_GROUP,
    FileRow,
    read_rows_file,
    rows_path,
)
from contracts.system.atomic_files import whole_file

__all__ = ["INGESTED", "PART_PREFIX", "QUARANTINED", "FileRow"]  # re-exported

_NUMBERS = ("width", "height", "file_bytes")
ROW = pa.schema(
    [(name, pa.int64() if name in _NUMBERS else pa.string()) for name in FileRow._fields]
)


class PartWriter:
    """Writes one part file of the manifest; memory does not grow with its rows."""

    def __init__(self, table: pq.ParquetWriter) -> None:
        self._table = table
        self._rows: list[FileRow] = []

    def add(self, row: FileRow) -> None:
        """Append a row."""
        self._rows.append(row)
        if len(self._rows) == ROWS_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write the buffered rows."""
        if self._rows:
            self.add_group(self._rows)
            self._rows.clear()

    def add_group(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows as a row group."""
        columns = zip(*rows, strict=True) if rows else [()] * len(ROW)
        arrays = [pa.array(column, field.type) for field, column in zip(ROW, columns, strict=True)]
        self._table.write_table(pa.Table.from_arrays(arrays, schema=ROW))


@contextmanager
def part_writer(uri: str, part: str) -> Iterator[PartWriter]:
    """Give a writer of a part that appears at the end of the block, whole, or not at all."""
    path = Path(uri, FILES_FOLDER, f"{part}.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial, pq.ParquetWriter(partial.path, ROW) as table:
        writer = PartWriter(table)
        yield writer
        writer.flush()


def write_part(uri: str, part: str, suffix: str) -> None:
    """Make the table `part` + `suffix` of the rows that a decode process has written."""
    left = rows_path(uri, part)
    with part_writer(uri, f"{part}{suffix}") as table:
        for rows in read_rows_file(left):
            table.add_group(rows)
    left.unlink()


def read_rows(uri: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the row of every file, or some columns of it, in the order of the parts."""
    return pa.concat_tables([read_part(part, columns) for part in parts(uri)])


def read_part(part: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a part."""
    return pq.read_table(part, columns=columns)


def parts(uri: str) -> list[Path]:
    """Return the files of the manifest at `uri`, in order."""
    return sorted(Path(uri, FILES_FOLDER).glob("*.parquet"))


def read_digests(uri: str, apart_from: str | None = None) -> Iterator[list[tuple[str, str]]]:
    """Give path and SHA-256 of every file that could be read, a part at a time.

    Parts that are also in the manifest at `apart_from` are left out.
    """
    known = {part.name for part in parts(apart_from)} if apart_from else set()
    for part in parts(uri):
        if part.name not in known:
            table = read_part(part, ["path", "sha256"])
            rows = zip(table["path"].to_pylist(), table["sha256"].to_pylist(), strict=True)
            yield [(path, sha256) for path, sha256 in rows if sha256]


def holds_any(uri: str, paths: Sequence[str]) -> bool:
    """Tell whether an image at one of these paths was ingested."""
    wanted = pa.array(paths, pa.string())
    for part in parts(uri):
        rows = read_part(part, ["path", "split"])
        is_held = pc.and_(pc.is_in(rows["path"], value_set=wanted), pc.is_valid(rows["split"]))
        if pc.any(is_held).as_py():
            return True
    return False


def read_groups(uri: str) -> dict[str, str]:
    """Return the group of every ingested image that has one, by path."""
    table = read_rows(uri, ["path", "group", "split"])
    grouped = table.filter(pc.and_(pc.is_valid(table["group"]), pc.is_valid(table["split"])))
    return dict(zip(grouped["path"].to_pylist(), grouped["group"].to_pylist(), strict=True))
