"""A CSV (path,label[,split,group]) -> its layout."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from components.image_example_gen.listing.catalogue import Catalogue, FileStamp
from components.image_example_gen.listing.entries import (
    BLANKS,
    ImageFile,
    SkippedFile,
    decode_path,
    encode_path,
    printable,
    text_of,
)
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.leave_out import LEFT_OUT
from components.image_example_gen.listing.object_listing import ObjectTable
from components.image_example_gen.listing.split_names import split_of
from components.image_example_gen.listing.table.named_files import DiskFiles, NamedFiles, find
from components.image_example_gen.listing.table.rows import table_rows
from contracts.system.errors import DataError, some_of
from contracts.system.storage.remote_path import RemotePath, Root

GROUP_COLUMN = "group"

TableRow = dict[str, str]

_FILES_A_TRANSACTION = 16_384
_LINES = """
CREATE TABLE line (
    path BLOB, number INTEGER, label TEXT, split TEXT, grp TEXT,
    size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER
)
"""
_ADD_LINE = "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ORDERED = "SELECT * FROM line ORDER BY path, number"
_NAMED = "SELECT 1 FROM line WHERE path = ? LIMIT 1"

_SHORT = "rows have more or fewer cells than the header"
_NAMELESS = "rows have an empty path"
_UNKNOWN_SPLIT = "rows have an unknown split"
_NEXT_STEPS = {
    _SHORT: "Separate cells by commas, and quote those that hold commas.",
    _NAMELESS: "Fill them in or remove them.",
    _UNKNOWN_SPLIT: "Expected train, validation or test, or nothing.",
}


def read_table(
    table: Root, group_by: str | None, leave_out: Sequence[str] = ()
) -> tuple[Layout, bool]:
    """Return the layout of a CSV, and whether a column of it gives the groups.

    Its paths are relative to its folder.

    The groups come from the column `group_by`, or from the column `group` if `group_by` is None. A
    row without a split belongs to the training images. Skipped are: rows without a label, with a
    label in `leave_out`, or without a file; files with contradicting rows; files without a row in a
    folder of other named files.

    Raises:
      DataError: columns are missing, or rows are incomplete or of unknown splits; all of it at
        once, with line numbers.
    """
    group = text_of(group_by.strip(BLANKS)).lower() if group_by else GROUP_COLUMN
    header, rows = table_rows(table)
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
    unused = sorted({label for label, _ in catalogue.counts()}.intersection(leave_out))
    catalogue.leave_out(unused, *LEFT_OUT)
    layout = Layout("csv", description="", root=table.parent, catalogue=catalogue, unused=unused)
    described = _describe(table.name, layout, group if has_group else None, repeated)
    return replace(layout, description=described), has_group


class _RowReader:
    """Rows -> files and skipped files in a catalogue, and the faults of rows by kind."""

    def __init__(self, table: Root, group_column: str, catalogue: Catalogue) -> None:
        self._table = table
        self._group_column = group_column
        self._catalogue = catalogue
        self._run = catalogue.database.execute
        self._faults: dict[str, list[str]] = {}
        self._folders: set[str] = set()
        self._files: NamedFiles
        if isinstance(table, RemotePath):
            self._files = ObjectTable(table.parent, catalogue)
        else:
            self._files = DiskFiles(table.parent, catalogue)
        self._run(_LINES)
        self._run("BEGIN")

    def fault(self, kind: str, where: str) -> None:
        self._faults.setdefault(kind, []).append(where)

    def add(self, line: int, row: TableRow) -> None:
        """Add a row with complete cells."""
        if not row["path"].strip(BLANKS):
            self.fault(_NAMELESS, f"line {line}")
            return
        split_cell = _cell_text(row, "split")
        split = split_of(split_cell) if split_cell else None
        if split_cell and not split:
            self.fault(_UNKNOWN_SPLIT, f"line {line} ({split_cell})")
            return
        path, stamp = find(self._files, row["path"])
        label, group = _cell_text(row, "label"), _cell_text(row, self._group_column)
        said = (encode_path(path), line, label, split, group or None)
        self._run(_ADD_LINE, (*said, *(stamp or (None, None, None, None))))

    def raise_faults(self) -> None:
        """Raise one DataError with a sentence a kind of fault, if there is any."""
        if self._faults:
            raise DataError(
                f"{self._table}: {kind}: {some_of(where)}. {_NEXT_STEPS[kind]}"
                for kind, where in self._faults.items()
            )

    def finish(self) -> int:
        """Fill the catalogue; return the number of rows that repeat another one."""
        self._run("CREATE INDEX line_by_path ON line (path, number)")
        self._run("COMMIT")
        repeated = 0
        files: list[tuple[ImageFile, FileStamp]] = []
        for path, rows in groupby(self._run(_ORDERED), key=itemgetter(0)):
            placed, again = self._place_rows(decode_path(path), [row[1:] for row in rows])
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
        self._files.close()
        return repeated

    def _place_rows(
        self, path: str, rows: list[tuple[Any, ...]]
    ) -> tuple[tuple[ImageFile, FileStamp] | None, int]:
        """Return the file of some rows, None if it is skipped, and the number of repeated rows.

        A row is line, label, split, group and stamp. A file with contradicting rows is skipped.
        """
        (line, label, *rest), *others = [row[:4] for row in rows]
        stamp = rows[0][4:]
        other = next((row for row in others if list(row[1:]) != [label, *rest]), None)
        if stamp[0] is None:
            skipped = SkippedFile(path, "no_such_file", f"named in line {line}")
        elif not label:
            skipped = SkippedFile(path, "no_label", f"its cell in line {line} is empty")
        elif other is not None:
            detail = f"lines {line} and {other[0]} say different things of it"
            skipped = SkippedFile(path, "conflicting_rows", detail)
        else:
            return (ImageFile(path, label, *rest), FileStamp(*stamp)), len(others)
        self._catalogue.skip([skipped])
        return None, 0

    def _unnamed(self, folder: str) -> Iterator[SkippedFile]:
        """Give the files of a folder that no row names."""
        for name in self._files.names(folder):
            path = f"{folder}/{name}" if folder else name
            is_named = self._run(_NAMED, (encode_path(path),)).fetchone()
            if path != self._table.name and not is_named:
                yield SkippedFile(path, "no_row", f"no row of {self._table.name} names it")


def _cell_text(row: TableRow, column: str) -> str:
    """Return a cell without leading and trailing blanks, "" if there is no such column."""
    return text_of(row[column].strip(BLANKS)) if column in row else ""


def _describe(name: str, layout: Layout, group: str | None, repeated: int) -> str:
    """Return a sentence on the content of the table."""
    split_part = f"the splits {', '.join(layout.splits)}" if layout.splits else "no splits"
    group_part = f" and the groups of its column {printable(group)}" if group else ""
    repeated_part = f" Rows that only repeat others: {repeated}." if repeated else ""
    classes = f"{len(layout.labels)} classes"
    return f"The table {name} brings {classes}, {split_part}{group_part}.{repeated_part}"
