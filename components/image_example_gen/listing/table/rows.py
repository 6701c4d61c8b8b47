"""A CSV -> the names of its columns and its rows, as text."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Final

from components.image_example_gen.listing.entries import BLANKS, text_of
from components.image_example_gen.listing.image_names import has_image_name
from contracts.system.errors import EXAMPLES_SHOWN, DataError, some_of
from contracts.system.storage import objects
from contracts.system.storage.remote_path import RemotePath, Root

_COLUMNS: Final = ("path", "label")
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_EXPECTED: Final = "the columns path,label[,split,group]"


def table_rows(table: Root) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the column names, lower-case, and the rows that are not blank, with line numbers.

    Raises:
      DataError: the file cannot be read, is no CSV in UTF-8, or lacks the columns path and label;
        a bad row raises when it is read.
    """
    rows = _parse(table)
    _, first = next(rows, (0, []))
    names = [text_of(name.strip(BLANKS)) for name in first]
    header = [name.lower() for name in names]
    if problem := _header_problem(header, received=", ".join(names)):
        raise DataError(f"{table}: {problem}")
    return header, rows


def _header_problem(header: Sequence[str], received: str) -> str | None:
    """Return the problem of the first line and the next step; None if there is none."""
    if not header:
        return f"expected {_EXPECTED}, received an empty file. Add them and a row for each image."
    separator = next((one for one in _SEPARATORS if len(header) == 1 and one in received), None)
    if separator:
        return (
            f"expected {_EXPECTED}, separated by commas, received {received!r}. "
            f"Replace the {_SEPARATORS[separator]} by commas."
        )
    missing = [name for name in _COLUMNS if name not in header]
    if len(missing) == len(_COLUMNS) and any(map(_is_path, header)):
        return (
            f"expected {_EXPECTED} in the first line, received a row of data: {received}. "
            "Put a line with the names of the columns before it."
        )
    if missing:
        columns = "column" if len(missing) == 1 else "columns"
        return (
            f"expected the {columns} {' and '.join(missing)}, received {received}. "
            f"Name {_EXPECTED} in the first line."
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        return f"expected each column once, received twice: {some_of(twice)}. Rename one of them."
    return None


def _is_path(cell: str) -> bool:
    return "/" in cell or has_image_name(cell)


def _parse(table: Root) -> Iterator[tuple[int, list[str]]]:
    """Give line number and cells of each row that is not blank, while the file is read."""
    try:
        with _open_table(table) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            reader = csv.reader(text, skipinitialspace=True, strict=True)
            try:
                for cells in reader:
                    if "".join(cells).strip(BLANKS):
                        yield reader.line_num, cells
            except csv.Error as error:
                raise DataError(f"{table}:{reader.line_num}: no readable CSV ({error}).") from error
            except UnicodeDecodeError as error:
                file.seek(0)
                lines = _lines_in_other_encodings(file)
                raise DataError(
                    f"{table}: expected UTF-8, received other bytes in {lines}. Save it as UTF-8."
                ) from error
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror}).") from error


def _lines_in_other_encodings(lines: Iterable[bytes]) -> str:
    """Return the first lines that are not UTF-8, each with its first wrong byte."""
    shown: list[str] = []
    count = 0
    for number, line in enumerate(lines, 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            count += 1
            if len(shown) < EXAMPLES_SHOWN:
                byte = line[error.start]
                shown.append(f"line {number} (0x{byte:02x}, byte {error.start + 1} of the line)")
    return some_of(shown, count=count)


@contextmanager
def _open_table(table: Root) -> Iterator[BinaryIO]:
    """Give the bytes of a table; a table in an object store is copied to a file on this disk."""
    if isinstance(table, RemotePath):
        with tempfile.TemporaryFile() as copy:
            objects.copy(str(table), copy)
            copy.seek(0)
            yield copy
    else:
        with table.open("rb") as file:
            yield file
