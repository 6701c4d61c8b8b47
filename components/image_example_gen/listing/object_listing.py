"""Lists an object store into a catalogue; the store is asked for nothing else."""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Final

from components.image_example_gen.listing.catalogue import Catalogue, FileStamp, transaction
from components.image_example_gen.listing.entries import decode_path, encode_path, plain_path
from contracts.system.errors import DataError
from contracts.system.storage.objects import objects
from contracts.system.storage.remote_path import RemotePath

_OBJECTS_A_TRANSACTION: Final = 4_096
_NEXT_STEPS: Final = (
    "Check the name, the credentials and the network; for S3 AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY, for Google Cloud Storage the application default credentials."
)


def listed_objects(root: RemotePath) -> Iterator[list[tuple[str, FileStamp]]]:
    """Give the objects below `root`, by their paths below it, some thousands at a time.

    Raises:
      DataError: the store does not give the listing.
    """
    found = _objects_below(root)
    try:
        while some := list(islice(found, _OBJECTS_A_TRANSACTION)):
            yield some
    except OSError as error:
        raise DataError(
            f"data.root: {root} cannot be listed ({error.strerror}). {_NEXT_STEPS}"
        ) from error


def _objects_below(root: RemotePath) -> Iterator[tuple[str, FileStamp]]:
    prefix = f"{root}/"
    _, _, name_prefix = prefix.partition("://")[2].partition("/")
    for found in objects(prefix):
        if not found.name.endswith("/"):  # such an object stands for a folder
            modified_ns = found.modified_ns
            stamp = FileStamp(found.size, modified_ns, modified_ns, 0)
            yield found.name.removeprefix(name_prefix), stamp


class ObjectTable:
    """The objects below a root, to be found by path and by folder."""

    def __init__(self, root: RemotePath, catalogue: Catalogue) -> None:
        """List the root.

        Raises:
          DataError: it cannot be listed.
        """
        self._run = catalogue.database.execute
        self._run(
            "CREATE TABLE object (folder BLOB, path BLOB PRIMARY KEY, plain BLOB, size INTEGER, "
            "mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER) WITHOUT ROWID"
        )
        for some in listed_objects(root):
            rows = [(*_names_of(path), *stamp) for path, stamp in some]
            with transaction(catalogue.database) as run:
                run.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._run("CREATE INDEX object_by_folder ON object (folder)")
        self._run("CREATE INDEX object_by_plain ON object (plain) WHERE plain IS NOT NULL")

    def normal(self, path: str) -> str:
        """Return a path without `.` and `..`."""
        return os.path.normpath(path)

    def stamp(self, path: str) -> FileStamp | None:
        """Return size and time of an object, None if there is none."""
        query = "SELECT size, mtime_ns, ctime_ns, inode FROM object WHERE path = ?"
        row = self._run(query, (encode_path(path),)).fetchone()
        return row and FileStamp(*row)

    def alike(self, path: str) -> list[str]:
        """Return the objects at other paths whose plain path is that of `path`."""
        rows = self._run(
            "SELECT path FROM object WHERE plain = ?", (encode_path(plain_path(path)),)
        )
        return [decode_path(path) for (path,) in rows]

    def names(self, folder: str) -> Iterator[str]:
        """Give the names of the objects in a folder itself."""
        rows = self._run("SELECT path FROM object WHERE folder = ?", (encode_path(folder),))
        return (decode_path(path).rpartition("/")[2] for (path,) in rows)

    def close(self) -> None:
        """Drop the table."""
        self._run("DROP TABLE object")


def _names_of(path: str) -> tuple[bytes, bytes, bytes | None]:
    """Return the folder of an object, its path, and its plain path where that is another."""
    plain = plain_path(path)
    return (
        encode_path(path.rpartition("/")[0]),
        encode_path(path),
        encode_path(plain) if plain != path else None,
    )
