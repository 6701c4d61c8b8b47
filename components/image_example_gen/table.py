"""A CSV (path,label[,split,group]) -> its layout."""

import csv
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from components.image_example_gen.listing import (
    ImageFile,
    Layout,
    SkippedFile,
    printable,
    split_of,
)
from contracts import features
from contracts.errors import DataError, some_of

GROUP_COLUMN = "group"

Row = dict[str, str]

_SHORT = "rows have more or fewer cells than the header"
_NAMELESS = "rows have an empty path"
_UNKNOWN_SPLIT = "rows have an unknown split"
_NEXT_STEPS = {
    _SHORT: "Quote cells that hold commas.",
    _NAMELESS: "Fill them in or remove them.",
    _UNKNOWN_SPLIT: "Expected train, validation or test, or nothing.",
}


def read_table(table: Path, group_by: str | None) -> tuple[Layout, bool]:
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
    reader = _RowReader(table.parent, group)
    for line, cells in rows:
        if len(cells) == len(header):
            reader.add(line, dict(zip(header, cells, strict=True)))
        else:
            reader.fault(_SHORT, f"line {line}")
    reader.raise_faults(table)
    files = sorted(reader.files.values(), key=lambda file: file.path)
    skipped = [*reader.skipped.values(), *reader.unnamed(table.name)]
    has_group = group in header
    layout = Layout(
        kind="csv",
        description=_describe(table.name, files, group if has_group else None, reader.repeated),
        root=table.parent,
        files=files,
        skipped=sorted(skipped, key=lambda skipped: skipped.path),
    )
    return layout, has_group


class _RowReader:
    """Rows -> files and skipped files by path, and what is wrong with rows by kind of fault."""

    def __init__(self, root: Path, group_column: str) -> None:
        self.files: dict[str, ImageFile] = {}
        self.skipped: dict[str, SkippedFile] = {}
        self.repeated = 0  # rows that say once more what another one says
        self._root = root
        self._group_column = group_column
        self._faults: dict[str, list[str]] = {}
        self._lines: dict[str, int] = {}

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
        path = os.path.relpath(self._root / row["path"], self._root)
        group = printable(row.get(self._group_column, "").strip()) or None
        file = ImageFile(path, label, split_of(split_cell), group)
        if path in self._lines:
            self._add_again(file, line)
            return
        self._lines[path] = line
        if not _is_file(self._root / path):
            self.skipped[path] = SkippedFile(path, "no_such_file", f"named in line {line}")
        elif not label:
            self.skipped[path] = SkippedFile(path, "no_label", f"its cell in line {line} is empty")
        else:
            self.files[path] = file

    def _add_again(self, file: ImageFile, line: int) -> None:
        """Take one more row of a file: where rows disagree, nobody knows which one is right."""
        if self.files.get(file.path) == file:
            self.repeated += 1
        elif self.files.pop(file.path, None) is not None:
            detail = f"lines {self._lines[file.path]} and {line} say different things of it"
            self.skipped[file.path] = SkippedFile(file.path, "conflicting_rows", detail)

    def unnamed(self, table: str) -> Iterator[SkippedFile]:
        """Give the files that stand beside named ones, in the same folders, without a row."""
        for folder in sorted({path.rpartition("/")[0] for path in self.files}):
            with os.scandir(self._root / folder) as entries:
                names = sorted(entry.name for entry in entries if entry.is_file())
            for name in names:
                path = f"{folder}/{name}" if folder else name
                if path not in self._lines and path != table:
                    yield SkippedFile(path, "no_row", f"no row of {table} names it")

    def raise_faults(self, table: Path) -> None:
        """Raise one DataError with a sentence a kind of fault, if there is any."""
        if self._faults:
            raise DataError(
                f"{table}: {kind}: {some_of(where)}. {_NEXT_STEPS[kind]}"
                for kind, where in self._faults.items()
            )


def _read_rows(table: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the column names, lower-case, and the rows that are not blank, with line numbers.

    Raises:
      DataError: the file cannot be read, is no CSV, or lacks the columns path and label.
    """
    try:
        text = table.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror}).") from error
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(cells)]
    except csv.Error as error:
        raise DataError(f"{table}:{reader.line_num}: no readable CSV ({error}).") from error
    header = [name.strip().lower() for name in rows[0][1]] if rows else []
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
    return header, iter(rows[1:])


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _describe(name: str, files: list[ImageFile], group: str | None, repeated: int) -> str:
    """Say in one sentence what the table brings."""
    brought = {file.split for file in files}
    splits = [split for split in features.SPLITS if split in brought]
    labels = {file.label for file in files}
    split_part = f"the splits {', '.join(splits)}" if splits else "no splits"
    group_part = f" and the groups of its column {printable(group)}" if group else ""
    repeated_part = f" Rows that only repeat others: {repeated}." if repeated else ""
    return (
        f"The table {name} brings {len(labels)} classes, {split_part}{group_part}.{repeated_part}"
    )
