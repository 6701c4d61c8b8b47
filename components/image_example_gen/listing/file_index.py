"""Stores the digests of files between runs, so that an unchanged file is not read again."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from components.image_example_gen.listing.catalogue import transaction
from components.image_example_gen.listing.entries import decode_path, encode_path
from components.image_example_gen.listing.layout import Layout
from contracts.system.progress import report_progress
from contracts.system.storage import objects
from contracts.system.storage.remote_path import RemotePath, Root

# A file that changed a moment ago may change again at the same time of the clock: its digest is not
# stored (as git treats "racy" entries).
SETTLED_NS = 2 * 10**9
# Stands for the content of a file that cannot be read; ingestion quarantines it.
UNREADABLE = "unreadable"

_FILES_A_ROUND = 8_192
_FILES_A_TASK = 256

_STAMP = "size, mtime_ns, ctime_ns, inode"
_RECALL = f"""
UPDATE file SET digest = known.digest FROM remembered.known AS known
    WHERE known.path = file.path AND ({", ".join(f"known.{name}" for name in _STAMP.split(", "))})
        = ({", ".join(f"file.{name}" for name in _STAMP.split(", "))})
"""
_MAKE = """
CREATE TABLE remembered.root (path TEXT);
CREATE TABLE remembered.known (
    path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER,
    digest TEXT
) WITHOUT ROWID;
"""
_REMEMBER = f"""
INSERT INTO remembered.known SELECT path, {_STAMP}, digest FROM file
    WHERE digest IS NOT NULL AND max(mtime_ns, ctime_ns) BETWEEN 1 AND ? ORDER BY path
"""
_UNKNOWN = "FROM file WHERE digest IS NULL"


class FileIndex:
    """The digests of a layout's files: SHA-256 as lower-case hex.

    A stored digest is used if size, times and inode of the file are still the same.
    """

    def __init__(self, layout: Layout, path: Path | None = None) -> None:
        """Take the digests from the file at `path`; a damaged one is ignored."""
        self._root = layout.root
        self._path = path
        self._database = layout.catalogue.database
        self._is_remembered = path is not None and path.is_file() and self._recall(path)

    @property
    def file_bytes(self) -> int:
        """The bytes of all files together."""
        (size,) = self._database.execute("SELECT sum(size) FROM file").fetchone()
        return size or 0

    @property
    def unknown(self) -> int:
        """The number of files without a digest: new or changed ones."""
        (count,) = self._database.execute(f"SELECT count(*) {_UNKNOWN}").fetchone()
        return int(count)

    def read_unknown(self) -> None:
        """Read the files without a digest, several at the same time."""
        done, total = 0, self.unknown
        cores = len(os.sched_getaffinity(0))
        workers = objects.CONNECTIONS if isinstance(self._root, RemotePath) else cores
        query = f"SELECT path {_UNKNOWN} AND path > ? ORDER BY path LIMIT {_FILES_A_ROUND}"
        with ThreadPoolExecutor(max_workers=workers) as threads:
            last = b""
            while paths := [path for (path,) in self._database.execute(query, (last,))]:
                tasks = [
                    paths[first : first + _FILES_A_TASK]
                    for first in range(0, len(paths), _FILES_A_TASK)
                ]
                for found in threads.map(self._read, tasks):
                    self.add_digests(found)
                    done += len(found)
                    report_progress(done, total, "files", "read to see what has changed")
                last = paths[-1]

    def _read(self, paths: Iterable[bytes]) -> list[tuple[str, str]]:
        files = [decode_path(path) for path in paths]
        return [(file, _sha256(self._root, file)) for file in files]

    def add_digests(self, digests: Iterable[tuple[str, str]]) -> bool:
        """Take digests of files that were read, by path; return whether any of them is new."""
        rows = [(digest, encode_path(path), digest) for path, digest in digests]
        query = "UPDATE file SET digest = ? WHERE path = ? AND digest IS NOT ?"
        with transaction(self._database) as run:
            is_new = run.executemany(query, rows).rowcount > 0
        self._is_remembered = self._is_remembered and not is_new
        return is_new

    def write(self) -> None:
        """Store the digests of files that have not changed for a moment.

        Raises:
          OSError: the file cannot be written.
        """
        if self._path is None or self._is_remembered:
            return
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.unlink(missing_ok=True)
        run = self._database.execute
        run("ATTACH ? AS remembered", (str(partial),))
        try:
            self._database.executescript(_MAKE)
            run("INSERT INTO remembered.root VALUES (?)", (str(self._root),))
            run(_REMEMBER, (time.time_ns() - SETTLED_NS,))
        finally:
            run("DETACH remembered")
        partial.replace(self._path)
        self._is_remembered = True

    def _recall(self, path: Path) -> bool:
        """Fill in the digests at `path`; return whether they are of exactly these files."""
        run = self._database.execute
        try:
            run("ATTACH ? AS remembered", (f"file:{quote(str(path))}?mode=ro&immutable=1",))
        except sqlite3.DatabaseError:
            return False
        try:
            if run("SELECT path FROM remembered.root").fetchall() != [(str(self._root),)]:
                return False
            known = run(_RECALL).rowcount
            (remembered,) = run("SELECT count(*) FROM remembered.known").fetchone()
            (files,) = run("SELECT count(*) FROM file").fetchone()
            return bool(known == remembered == files)
        except sqlite3.DatabaseError:
            return False  # damaged, or of another program
        finally:
            run("DETACH remembered")


def _sha256(root: Root, path: str) -> str:
    digest = hashlib.sha256()
    try:
        if isinstance(root, RemotePath):
            return hashlib.sha256(objects.read(f"{root}/{path}")).hexdigest()
        with (root / path).open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except OSError:
        return UNREADABLE  # not lost: the ingestion quarantines the file with the reason
    return digest.hexdigest()
