"""The files that the cells of a table name, on a disk or in an object store."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from components.image_example_gen.listing.catalogue import Catalogue, FileStamp
from components.image_example_gen.listing.entries import (
    BLANKS,
    decode_path,
    encode_path,
    plain_path,
)
from contracts.system.unicode_form import composed

_ODD_NAMES = "SELECT name FROM odd_name WHERE folder = ? AND plain = ?"


class NamedFiles(Protocol):
    """The files below the folder of a table; paths are relative to it."""

    def normal(self, path: str) -> str:
        """Return the normal form of a path."""

    def stamp(self, path: str) -> FileStamp | None:
        """Return size and times of a file, None if there is none."""

    def alike(self, path: str) -> list[str]:
        """Return the entries whose plain path is that of `path`."""

    def names(self, folder: str) -> Iterator[str]:
        """Give the names of the files in a folder itself."""

    def close(self) -> None:
        """Drop the table of names."""


def find(files: NamedFiles, cell: str) -> tuple[str, FileStamp | None]:
    """Return the path of the file that a cell names, and its stamp, None if there is no file.

    The exact name is tried first, then the name without leading and trailing blanks. Last comes the
    only file whose name differs in its Unicode form, or in blanks at the ends of its parts.
    """
    bare = cell.strip(BLANKS)
    for name in dict.fromkeys((cell, bare, composed(bare))):
        path = files.normal(name)
        if stamp := files.stamp(path):
            return path, stamp
    alike = [(path, stamp) for path in files.alike(path) if (stamp := files.stamp(path))]
    return alike[0] if len(alike) == 1 else (files.normal(bare), None)


class DiskFiles:
    """Files of this machine; names that differ from their plain form are kept in a catalogue."""

    def __init__(self, root: Path, catalogue: Catalogue) -> None:
        self._root = root
        self._run = catalogue.database.execute
        self._run_many = catalogue.database.executemany
        self._folders: dict[str, list[str]] = {"": [""]}
        self._read: set[str] = set()
        self._run("CREATE TABLE odd_name (folder BLOB, plain BLOB, name BLOB)")
        self._run("CREATE INDEX odd_name_by_plain ON odd_name (folder, plain)")

    def normal(self, path: str) -> str:
        """Return a path without `.` and `..`, relative to the root."""
        path = os.path.normpath(path)
        if path.startswith((os.sep, os.pardir)):  # it may lead back into the folder
            path = os.path.relpath(self._root / path, self._root)
        return path

    def stamp(self, path: str) -> FileStamp | None:
        """Return size, times and inode of a file, None if there is none."""
        try:
            status = os.stat(f"{self._root}/{path}")  # noqa: PTH116 - a Path takes twice the time
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return FileStamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def alike(self, path: str) -> list[str]:
        """Return the entries whose plain path is that of `path`."""
        folder, _, name = plain_path(path).rpartition("/")
        return self._entries(self._folders_alike(folder), name)

    def _folders_alike(self, folder: str) -> list[str]:
        if folder not in self._folders:
            above, _, name = folder.rpartition("/")
            self._folders[folder] = self._entries(self._folders_alike(above), name)
        return self._folders[folder]

    def _entries(self, folders: list[str], plain: str) -> list[str]:
        """Return the entries of folders whose name in plain form is `plain`."""
        found = []
        for folder in folders:
            prefix = f"{folder}/" if folder else ""
            if os.path.lexists(f"{self._root}/{prefix}{plain}"):
                found.append(prefix + plain)
            self._read_odd_names(folder)
            odd = self._run(_ODD_NAMES, (encode_path(folder), encode_path(plain)))
            found += [prefix + decode_path(name) for (name,) in odd]
        return found

    def _read_odd_names(self, folder: str) -> None:
        if folder in self._read:
            return
        self._read.add(folder)
        try:
            with os.scandir(f"{self._root}/{folder}") as entries:
                names = ((plain_path(entry.name), entry.name) for entry in entries)
                odd = (
                    (encode_path(folder), encode_path(plain), encode_path(name))
                    for plain, name in names
                    if plain != name
                )
                self._run_many("INSERT INTO odd_name VALUES (?, ?, ?)", odd)
        except OSError:
            return  # not lost: the files that cells name in it are skipped as no_such_file

    def names(self, folder: str) -> Iterator[str]:
        """Give the names of the files in a folder itself."""
        with os.scandir(self._root / folder) as entries:
            yield from (entry.name for entry in entries if entry.is_file())

    def close(self) -> None:
        """Drop the table of names."""
        self._run("DROP TABLE odd_name")
