"""A CSV (path,label[,split,group]) -> its layout."""

import csv
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from components.image_example_gen.listing.catalogue import (
    Catalogue,
    Layout,
    Stamp,
    decoded,
    encoded,
)
from components.image_example_gen.listing.entries import (
    ImageFile,
    SkippedFile,
    printable,
    split_of,
)
from components.image_example_gen.listing.objects import ObjectTable
from contracts.errors import DataError, some_of
from contracts.remote_path import RemotePath, Root, resolve

GROUP_COLUMN = "group"

Row = dict[str, str]

_COPY = "components.image_example_gen.listing.remote:copy"
_FILES_A_TRANSACTION = 16_384
_ORDERED = "SELECT path, number, label, split, grp FROM line ORDER BY path, number"
_NAMED = "SELECT 1 FROM line WHERE path = ? LIMIT 1"

_SHORT = "rows have more or fewer cells than the header"
_NAMELESS = "rows have an empty path"
_UNKNOWN_SPLIT = "rows have an unknown split"
_NEXT_STEPS = {
    _SHORT: "Quote cells that hold commas.",
    _NAMELESS: "Fill them in or remove them.",
    _UNKNOWN_SPLIT: "Expected train, validation or test, or nothing.",
}


def read_table(table: Root, group_by: str | None) -> tuple[Layout, bool]:
    """Return the layout of a CSV, and whether a column of it gives the groups.

    Its paths are relative to the folder it stands in.

    `group_by` that names a column gives the groups; None takes the column `group` where there
    is one. A row without a split belongs to the training images. Skipped are rows without a
    label or whose file does not exist, files of which rows say different things, and files that
    no row names though they stand in a folder beside others that are named.

    Raises:
      DataError: columns are missing, or rows are incomplete or of unknown splits; all of it at
        once, with line numbers.
    """
    group = group_by.strip().lower() if group_by else GROUP_COLUMN
    header, rows = _read_rows(table)
    catalogue = Catalogue()
    reader = _RowReader(table, group, catalogue)
    for line, cells in rows:
        if len(cells) == len(header):
            reader.add(line, dict(zip(header, cells, strict=True)))
        else:
            reader.fault(_SHORT, f"line {line}")
    reader.raise_faults()
    repeated = reader.finish()
    has_group = group in header
    layout = Layout(kind="csv", description="", root=table.parent, catalogue=catalogue)
    described = _describe(table.name, layout, group if has_group else None, repeated)
    return replace(layout, description=described), has_group


class _RowReader:
    """Rows -> files and skipped files in a catalogue, and what is wrong with rows, by its kind."""

    def __init__(self, table: Root, group_column: str, catalogue: Catalogue) -> None:
        self._table = table
        self._root = table.parent
        self._group_column = group_column
        self._catalogue = catalogue
        self._run = catalogue.database.execute
        self._faults: dict[str, list[str]] = {}
        self._folders: set[str] = set()
        self._objects: ObjectTable | None = None
        if isinstance(table, RemotePath):
            self._objects = ObjectTable(table.parent, catalogue)
        self._run("CREATE TABLE line (path BLOB, number INTEGER, label, split, grp)")
        self._run("BEGIN")

    def fault(self, kind: str, where: str) -> None:
        self._faults.setdefault(kind, []).append(where)

    def add(self, line: int, row: Row) -> None:
        """Take a row whose cells are complete."""
        label = printable(row["label"].strip())
        split_cell = row.get("split", "").strip()
        if not row["path"].strip():
            self.fault(_NAMELESS, f"line {line}")
            return
        if split_cell and not split_of(split_cell):
            self.fault(_UNKNOWN_SPLIT, f"line {line} ({printable(split_cell)})")
            return
        path = os.path.normpath(row["path"])
        # Perhaps back into the folder; in an object store nothing leads out of it.
        if self._objects is None and path.startswith((os.sep, os.pardir)):
            path = os.path.relpath(self._root / path, self._root)
        group = printable(row.get(self._group_column, "").strip()) or None
        cells = (encoded(path), line, label, split_of(split_cell), group)
        self._run("INSERT INTO line VALUES (?, ?, ?, ?, ?)", cells)

    def raise_faults(self) -> None:
        """Raise one DataError with a sentence a kind of fault, if there is any."""
        if self._faults:
            raise DataError(
                f"{self._table}: {kind}: {some_of(where)}. {_NEXT_STEPS[kind]}"
                for kind, where in self._faults.items()
            )

    def finish(self) -> int:
        """Fill the catalogue; return how many rows only say once more what another one says."""
        self._run("CREATE INDEX line_by_path ON line (path, number)")
        self._run("COMMIT")
        repeated = 0
        files: list[tuple[ImageFile, Stamp]] = []
        for path, rows in groupby(self._run(_ORDERED), key=itemgetter(0)):
            placed, again = self._place(decoded(path), [row[1:] for row in rows])
            repeated += again
            if placed is not None:
                files.append(placed)
                self._folders.add(placed[0].path.rpartition("/")[0])
            if len(files) == _FILES_A_TRANSACTION:
                self._catalogue.add(files)
                files.clear()
        self._catalogue.add(files)
        for folder in sorted(self._folders):
            self._catalogue.skip(self._unnamed(folder))
        self._run("DROP TABLE line")
        if self._objects is not None:
            self._objects.close()
        return repeated

    def _place(
        self, path: str, rows: list[tuple[int, str, str | None, str | None]]
    ) -> tuple[tuple[ImageFile, Stamp] | None, int]:
        """Return a file that rows name, if it can be an image, and how many repeat the first row.

        Where rows disagree, nobody knows which one is right.
        """
        (line, label, *rest), *others = rows
        stamp = self._objects.stamp(path) if self._objects else _stamp(f"{self._root}/{path}")
        other = next((row for row in others if list(row[1:]) != [label, *rest]), None)
        if stamp is None:
            skipped = SkippedFile(path, "no_such_file", f"named in line {line}")
        elif not label:
            skipped = SkippedFile(path, "no_label", f"its cell in line {line} is empty")
        elif other is not None:
            detail = f"lines {line} and {other[0]} say different things of it"
            skipped = SkippedFile(path, "conflicting_rows", detail)
        else:
            return (ImageFile(path, label, *rest), stamp), len(others)
        self._catalogue.skip([skipped])
        return None, 0

    def _unnamed(self, folder: str) -> Iterator[SkippedFile]:
        """Give the files that stand beside named ones in a folder, without a row."""
        names = self._objects.names(folder) if self._objects else _names(self._root / folder)
        for name in names:
            path = f"{folder}/{name}" if folder else name
            is_named = self._run(_NAMED, (encoded(path),)).fetchone()
            if path != self._table.name and not is_named:
                yield SkippedFile(path, "no_row", f"no row of {self._table.name} names it")


def _read_rows(table: Root) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the column names, lower-case, and the rows that are not blank, with line numbers.

    Raises:
      DataError: the file cannot be read, is no CSV, or lacks the columns path and label.
    """
    rows = _parse(table)
    _, first = next(rows, (0, []))
    header = [name.strip().lower() for name in first]
    problems = [
        f"{table}: expected the column {name}, received "
        f"{printable(', '.join(header)) or 'an empty file'}. "
        "The columns are path,label[,split,group], separated by commas."
        for name in ("path", "label")
        if name not in header
    ]
    problems += [
        f"{table}: the column {name} stands there twice. Rename one of them."
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    if problems:
        raise DataError(problems)
    return header, rows


def _parse(table: Root) -> Iterator[tuple[int, list[str]]]:
    """Give line number and cells of each row that is not blank, while the file is read."""
    try:
        with _opened(table) as text:
            reader = csv.reader(text, skipinitialspace=True, strict=True)
            try:
                yield from ((reader.line_num, cells) for cells in reader if any(cells))
            except csv.Error as error:
                raise DataError(f"{table}:{reader.line_num}: no readable CSV ({error}).") from error
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror}).") from error


@contextmanager
def _opened(table: Root) -> Iterator[TextIO]:
    """Give the text of a table; one from an object store through a file on this disk."""
    if isinstance(table, RemotePath):
        with tempfile.TemporaryFile() as file:
            resolve(_COPY)(str(table), file)
            file.seek(0)
            yield io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    else:
        with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            yield text


def _names(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (entry.name for entry in entries if entry.is_file())


def _stamp(path: str) -> Stamp | None:
    """Return what the disk says of a file, None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - as a path it would take twice the time
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _describe(name: str, layout: Layout, group: str | None, repeated: int) -> str:
    """Say in one sentence what the table brings."""
    split_part = f"the splits {', '.join(layout.splits)}" if layout.splits else "no splits"
    group_part = f" and the groups of its column {printable(group)}" if group else ""
    repeated_part = f" Rows that only repeat others: {repeated}." if repeated else ""
    classes = f"{len(layout.labels)} classes"
    return f"The table {name} brings {classes}, {split_part}{group_part}.{repeated_part}"
