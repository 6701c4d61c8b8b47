"""What lies in an object store, into a catalogue: its listing is all that is asked of it."""

from collections.abc import Iterator
from itertools import islice

from components.image_example_gen.listing.catalogue import (
    Catalogue,
    Stamp,
    encoded,
    transaction,
)
from contracts.remote_path import RemotePath, resolve

_LISTING = "components.image_example_gen.listing.remote:objects"
_OBJECTS_A_TRANSACTION = 4_096


def listed_objects(root: RemotePath) -> Iterator[list[tuple[str, Stamp]]]:
    """Give what lies below `root`, some at a time.

    Raises:
      DataError: it cannot be listed.
    """
    objects = resolve(_LISTING)(root)
    while some := list(islice(objects, _OBJECTS_A_TRANSACTION)):
        yield some


class ObjectTable:
    """What lies below a place, kept to be looked up by path and by folder."""

    def __init__(self, root: RemotePath, catalogue: Catalogue) -> None:
        """List the place.

        Raises:
          DataError: it cannot be listed.
        """
        self._run = catalogue.database.execute
        self._run(
            "CREATE TABLE object (folder BLOB, path BLOB PRIMARY KEY, size INTEGER, "
            "mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER) WITHOUT ROWID"
        )
        for some in listed_objects(root):
            rows = [
                (encoded(path.rpartition("/")[0]), encoded(path), *stamp) for path, stamp in some
            ]
            with transaction(catalogue.database) as run:
                run.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._run("CREATE INDEX object_by_folder ON object (folder)")

    def stamp(self, path: str) -> Stamp | None:
        """Return what the store says of an object, None where there is none."""
        query = "SELECT size, mtime_ns, ctime_ns, inode FROM object WHERE path = ?"
        row = self._run(query, (encoded(path),)).fetchone()
        return row and Stamp(*row)

    def names(self, folder: str) -> Iterator[str]:
        """Give the names of what lies in a folder itself."""
        rows = self._run("SELECT path FROM object WHERE folder = ?", (encoded(folder),))
        return (path.decode("utf-8", "surrogateescape").rpartition("/")[2] for (path,) in rows)

    def close(self) -> None:
        """Forget it."""
        self._run("DROP TABLE object")
