"""The entries of a listing in a database on disk, so that memory does not grow with them."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from components.image_example_gen.listing.entries import (
    ImageFile,
    SkippedFile,
    decode_path,
    encode_path,
    printable,
)
from contracts.artifacts import features

Entry = TypeVar("Entry")

_CACHE_KIB = 16 << 10
_TABLES = f"""
PRAGMA cache_size = -{_CACHE_KIB};
PRAGMA temp_store = FILE;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE file (
    path BLOB PRIMARY KEY, label TEXT, split TEXT, grp TEXT,
    size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER, digest TEXT
) WITHOUT ROWID;
CREATE TABLE skipped (path BLOB, reason TEXT, detail TEXT);
-- Files whose names are no valid text, by what is shown of them.
CREATE TABLE odd (name TEXT, path BLOB);
CREATE TABLE asked (path BLOB);
-- Files that need no ingestion: they stand in a shard that is there already.
CREATE TABLE covered (path BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_FILE = "path, label, split, grp"
# Multiplier (Knuth, TAOCP 3, 6.4) and modulus of a hash.
_SIZE_HASH = (2_654_435_761, 2**32)
_LEFT = "FROM file WHERE NOT EXISTS (SELECT 1 FROM covered WHERE covered.path = file.path)"
# Files that may be cut into splits: without a split in the data, or of the split train.
_POOL = f"(split IS NULL OR split = '{features.TRAIN}')"


class FileStamp(NamedTuple):
    """Size, times and inode of a file, which change with its content; zeros if not known."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


NO_STAMP = FileStamp(0, 0, 0, 0)


class StoredEntries(Generic[Entry]):
    """Entries in order of path; each iteration queries them again, and none is kept in memory."""

    def __init__(self, catalogue: "Catalogue", table: str, make: Callable[..., Entry]) -> None:
        self._query = catalogue.database.execute
        self._table = table
        self._make = make

    def __len__(self) -> int:
        (count,) = self._query(f"SELECT count(*) FROM {self._table}").fetchone()
        return int(count)

    def __iter__(self) -> Iterator[Entry]:
        columns = _FILE if self._table == "file" else "path, reason, detail"
        rows = self._query(f"SELECT {columns} FROM {self._table} ORDER BY path")
        return (self._make(decode_path(path), *rest) for path, *rest in rows)


class Catalogue:
    """The files and the skipped entries of a listing.

    They are in a temporary SQLite file, which is deleted with the catalogue; a small one is only in
    memory, a large one takes a cache of fixed size. One thread at a time may use it.

    Paths are stored as bytes, so that names that are no UTF-8 open too, and sorted by these.
    """

    def __init__(self) -> None:
        self.database = sqlite3.connect(
            "file:", uri=True, isolation_level=None, check_same_thread=False
        )
        self.database.executescript(_TABLES)
        self.database.create_function("sha256", 1, _sha256, deterministic=True)
        self.files: StoredEntries[ImageFile] = StoredEntries(self, "file", ImageFile)
        self.skipped: StoredEntries[SkippedFile] = StoredEntries(self, "skipped", SkippedFile)

    def close(self) -> None:
        """Free the memory and the disk that it takes."""
        self.database.close()

    def add(self, entries: Iterable[tuple[ImageFile, FileStamp]]) -> None:
        """Add files; fastest in order of path."""
        rows = [
            (encode_path(file.path), file.label, file.split, file.group, *stamp)
            for file, stamp in entries
        ]
        with transaction(self.database) as run:
            run.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", rows)
        self.add_odd_names(path for path, *_ in rows)

    def add_odd_names(self, paths: Iterable[bytes]) -> None:
        """Store the printable names of paths that are no valid text, for `find`."""
        odd = [path for path in paths if not path.isascii()]
        names = [(printable(decode_path(path)), path) for path in odd]
        self.database.executemany(
            "INSERT INTO odd VALUES (?, ?)",
            [(name, path) for name, path in names if encode_path(name) != path],
        )

    def skip(self, entries: Iterable[SkippedFile]) -> None:
        """Add entries that are skipped."""
        rows = [(encode_path(path), reason, detail) for path, reason, detail in entries]
        with transaction(self.database) as run:
            run.executemany("INSERT INTO skipped VALUES (?, ?, ?)", rows)

    def leave_out(self, labels: Sequence[str], reason: str, detail: str) -> None:
        """Skip all files of these labels."""
        which = f"FROM file WHERE label IN ({', '.join('?' * len(labels))})"
        with transaction(self.database) as run:
            run.execute(f"INSERT INTO skipped SELECT path, ?, ? {which}", (reason, detail, *labels))
            run.execute(f"DELETE {which}", labels)

    def group(self, group_of: Callable[[str], str | None]) -> int:
        """Set the group of every file by its path; return the number of groups."""
        self.database.create_function("group_of", 1, lambda path: group_of(decode_path(path)))
        with transaction(self.database) as run:
            run.execute("UPDATE file SET grp = group_of(path)")
        (count,) = self.database.execute("SELECT count(DISTINCT grp) FROM file").fetchone()
        return int(count)

    def counts(self) -> Counter[tuple[str, str | None]]:
        """Return the number of files by label and split."""
        rows = self.database.execute("SELECT label, split, count(*) FROM file GROUP BY 1, 2")
        return Counter({(label, split): count for label, split, count in rows})

    def skip_reasons(self) -> dict[str, int]:
        """Return the number of skipped entries by reason."""
        rows = self.database.execute("SELECT reason, count(*) FROM skipped GROUP BY 1 ORDER BY 1")
        return dict(rows)

    def skipped_for(self, reason: str, limit: int) -> list[SkippedFile]:
        """Return the first entries that were skipped for a reason."""
        query = "SELECT path, reason, detail FROM skipped WHERE reason = ? ORDER BY path LIMIT ?"
        rows = self.database.execute(query, (reason, limit))
        return [SkippedFile(decode_path(path), *rest) for path, *rest in rows]

    def sizes_to_cut(self) -> dict[str, tuple[int, int]]:
        """Return for each label the numbers of keys and of files that may be cut into splits.

        A key is a group, or a file without one.
        """
        keys = "count(DISTINCT grp) + sum(grp IS NULL)"
        query = f"SELECT label, {keys}, count(*) FROM file WHERE {_POOL} GROUP BY label"
        return {label: (keys, files) for label, keys, files in self.database.execute(query)}

    def files_to_cut(self, labels: Sequence[str]) -> Iterator[tuple[ImageFile, str | None]]:
        """Give the files of these labels that may be cut into splits, and their digests."""
        for label in labels:
            query = f"SELECT {_FILE}, digest FROM file WHERE label = ? AND {_POOL} ORDER BY path"
            for path, *rest, digest in self.database.execute(query, (label,)):
                yield ImageFile(decode_path(path), *rest), digest

    def sample(self, images: int) -> Iterator[ImageFile]:
        """Give a sample of the files, by a hash of their sizes: names hardly matter."""
        query = f"SELECT {_FILE} FROM file ORDER BY (size * ?) % ?, size, path LIMIT ?"
        for path, *rest in self.database.execute(query, (*_SIZE_HASH, images)):
            yield ImageFile(decode_path(path), *rest)

    def with_digests(self) -> Iterator[tuple[bytes, str, str | None, str | None, str | None]]:
        """Give path, label, split, group and digest of every file."""
        return self.database.execute(f"SELECT {_FILE}, digest FROM file ORDER BY path")

    def find(self, name: str) -> tuple[bytes, ImageFile, str | None] | None:
        """Return path, file and digest of the file with this printable name.

        None if there is no such file, or several.
        """
        paths = [path for (path,) in self.database.execute(_ODD, (name,))]
        paths.append(name.encode())
        rows = [row for path in paths for row in self.database.execute(_FOUND, (path,))]
        if len(rows) != 1:
            return None
        path, label, split, group, digest = rows[0]
        return path, ImageFile(name, label, split, group), digest

    def find_all(
        self, names: Sequence[str]
    ) -> Iterator[tuple[bytes, ImageFile, str | None] | None]:
        """Give the result of `find` for each name, in a fraction of its time."""
        run = self.database.execute
        if run("SELECT 1 FROM odd LIMIT 1").fetchone():
            yield from map(self.find, names)
            return
        run("DELETE FROM asked")
        with transaction(self.database):
            rows = ((name.encode(),) for name in names)
            self.database.executemany("INSERT INTO asked VALUES (?)", rows)
        for name, row in zip(names, run(_ASKED), strict=True):
            path, label, split, group, digest = row
            yield path and (path, ImageFile(name, label, split, group), digest)

    def mark_covered(self, paths: Iterable[bytes]) -> None:
        """Mark files that need no ingestion."""
        with transaction(self.database) as run:
            run.executemany("INSERT INTO covered VALUES (?)", ((path,) for path in paths))

    def clear_covered(self) -> None:
        """Mark all files as such that need ingestion."""
        self.database.execute("DELETE FROM covered")

    def count_to_ingest(self) -> tuple[int, int]:
        """Return the number of files that need ingestion, and their bytes together."""
        count, size = self.database.execute(f"SELECT count(*), sum(size) {_LEFT}").fetchone()
        return count, size or 0

    def files_to_ingest(self) -> Iterator[tuple[ImageFile, int]]:
        """Give the files that need ingestion and their sizes, in order of a hash of their paths."""
        rows = self.database.execute(f"SELECT {_FILE}, size {_LEFT} ORDER BY sha256(path)")
        for path, label, split, group, size in rows:
            yield ImageFile(decode_path(path), label, split, group), size


_ODD = "SELECT path FROM odd WHERE name = ?"
_ASKED = (
    "SELECT file.path, label, split, grp, digest "
    "FROM asked LEFT JOIN file USING (path) ORDER BY asked.rowid"
)
_FOUND = f"SELECT {_FILE}, digest FROM file WHERE path = ?"


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Make many changes in one transaction, in a fraction of the time.

    Without a journal nothing is rolled back: after an error the whole catalogue is dropped.
    """
    database.execute("BEGIN")
    yield database
    database.execute("COMMIT")


def _sha256(path: bytes) -> bytes:
    return hashlib.sha256(path).digest()
