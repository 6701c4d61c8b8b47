"""Lists everything below a root into a catalogue, before the roles of the folders are known."""

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import islice
from pathlib import Path

from components.image_example_gen.listing.catalogue import NO_STAMP, Catalogue, transaction
from components.image_example_gen.listing.entries import SkippedFile, encode_path, is_clutter
from components.image_example_gen.listing.image_names import has_image_name
from components.image_example_gen.listing.object_listing import listed_objects
from contracts.system.errors import DataError
from contracts.system.storage.remote_path import RemotePath, Root

HIDDEN = SkippedFile("", "hidden", "hidden, or left behind by a desktop program")

_FILES_A_TRANSACTION = 16_384
_NAMES_KEPT = 8
# Files before the roles of the folders are known; folders have numbers.
_LISTED = """
CREATE TABLE listed (
    path BLOB, folder INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER
);
CREATE TABLE folder (
    folder INTEGER PRIMARY KEY, label TEXT, split TEXT, reason TEXT, detail TEXT
);
"""


@dataclass(slots=True)
class ListedFolder:
    """A folder of a tree, without its subfolders; hidden files do not count.

    `sample` holds the first names, unless the folder has a file with the name of an image.
    """

    number: int
    files: int = 0
    has_image_name: bool = False
    sample: list[str] = field(default_factory=list)

    def take(self, names: list[str]) -> None:
        """Count files of the folder."""
        self.files += len(names)
        if not self.has_image_name:
            self.has_image_name = any(map(has_image_name, names))
            others = [] if self.has_image_name else [*self.sample, *names]
            self.sample = nsmallest(_NAMES_KEPT, others)


@dataclass
class FolderTree:
    """All folders, by paths relative to the root, and the number of files, hidden ones included."""

    folders: dict[str, ListedFolder] = field(default_factory=dict)
    files: int = 0

    def add(self, path: str) -> None:
        """Add a folder."""
        self.folders[path] = ListedFolder(len(self.folders))


def read_tree(root: Root, catalogue: Catalogue) -> FolderTree:
    """Put everything below a root into the tables `listed` and `skipped`; return the folders.

    Raises:
      DataError: the root cannot be listed.
    """
    catalogue.database.executescript(_LISTED)
    if isinstance(root, RemotePath):
        return _read_objects(root, catalogue)
    return _TreeReader(root, catalogue).read()


def _read_objects(root: RemotePath, catalogue: Catalogue) -> FolderTree:
    """Put the objects below a root into the catalogue, and return the folders.

    A store has no folders: they follow from the slashes in names.

    Raises:
      DataError: the store cannot be listed.
    """
    tree = FolderTree()
    tree.add("")
    for some in listed_objects(root):
        rows, hidden = [], []
        for path, stamp in some:
            folder, _, name = path.rpartition("/")
            above = folder
            while above not in tree.folders:
                tree.add(above)
                above = above.rpartition("/")[0]
            if is_clutter(name):
                hidden.append(SkippedFile(path, *HIDDEN[1:]))
            else:
                tree.folders[folder].take([name])
                rows.append((encode_path(path), tree.folders[folder].number, *stamp))
        with transaction(catalogue.database) as run:
            run.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?)", rows)
        catalogue.skip(hidden)
        tree.files += len(some)
    return tree


class _TreeReader:
    """Lists folders, each real folder once, however many links lead to it."""

    def __init__(self, root: Path, catalogue: Catalogue) -> None:
        self.tree = FolderTree()
        self._root = root
        self._catalogue = catalogue
        self._seen: set[tuple[int, int]] = set()

    def read(self) -> FolderTree:
        """Put everything below the root into the catalogue, and return the folders.

        Raises:
          DataError: the root cannot be listed.
        """
        links = deque([""])
        while links:
            folders = [links.popleft()]
            while folders:
                self._read_folder(folders.pop(), folders, links)
        return self.tree

    def _read_folder(self, folder: str, folders: list[str], links: deque[str]) -> None:
        """List one folder; add its subfolders to `folders` and its linked folders to `links`."""
        try:
            opened = os.open(self._root / folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            self._give_up(folder, error)
            return
        try:
            status = os.fstat(opened)
            if (status.st_dev, status.st_ino) in self._seen:
                detail = "a link to a folder that is listed under another name"
                self._skip(folder, "listed_elsewhere", detail)
                return
            self._seen.add((status.st_dev, status.st_ino))
            self.tree.add(folder)
            # Relative to the open folder: half the time of whole paths.
            with os.scandir(opened) as scan:
                others = self._add_files(folder, scan)
            self._add_others(folder, others, folders, links)
        except OSError as error:
            self._give_up(folder, error)
        finally:
            os.close(opened)

    def _give_up(self, folder: str, error: OSError) -> None:
        if not folder:
            raise DataError(
                f"data.root: {self._root} cannot be listed ({error.strerror}). "
                "Make it readable, or name another folder."
            ) from error
        detail = f"a folder that cannot be listed: {error.strerror}"
        self._skip(folder, "unreadable_folder", detail)

    def _add_files(self, folder: str, scan: Iterable[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
        """Add the files of a folder, some at a time; return the other entries."""
        others: list[os.DirEntry[str]] = []
        entries = iter(scan)
        while some := list(islice(entries, _FILES_A_TRANSACTION)):
            files: list[os.DirEntry[str]] = []
            for entry in some:
                (files if entry.is_file(follow_symlinks=False) else others).append(entry)
            self._add(folder, files)
        return others

    def _add(self, folder: str, files: list[os.DirEntry[str]]) -> None:
        prefix, place = f"{folder}/" if folder else "", self.tree.folders[folder]
        names, rows, hidden = [], [], []
        for entry in files:
            path = prefix + entry.name
            if is_clutter(entry.name):
                hidden.append(SkippedFile(path, *HIDDEN[1:]))
            else:
                names.append(entry.name)
                rows.append((encode_path(path), place.number, *_stamp(entry)))
        place.take(names)
        with transaction(self._catalogue.database) as run:
            run.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._catalogue.skip(hidden)
        self._catalogue.add_odd_names([path for path, *_ in rows])
        self.tree.files += len(files)

    def _add_others(
        self, folder: str, others: list[os.DirEntry[str]], folders: list[str], links: deque[str]
    ) -> None:
        """Add the folders, links and special files of a folder."""
        linked = []
        for entry in sorted(others, key=lambda entry: entry.name):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif not entry.is_symlink():
                self._skip(path, "not_a_file", "a pipe, socket or device")
            elif self._leads_to_file(entry, path, links):
                linked.append(entry)
        self._add(folder, linked)

    def _leads_to_file(self, entry: os.DirEntry[str], path: str, links: deque[str]) -> bool:
        detail = "a link that leads to no file"
        try:
            if entry.is_dir():
                links.append(path)
                return False
            if entry.is_file():
                return True
        except OSError as error:  # the link leads to itself, or through a closed folder
            detail = f"a link that cannot be followed: {error.strerror}"
        self._skip(path, "broken_link", detail)
        return False

    def _skip(self, path: str, reason: str, detail: str) -> None:
        self._catalogue.skip([SkippedFile(path, reason, detail)])


def _stamp(entry: os.DirEntry[str]) -> tuple[int, int, int, int]:
    try:
        status = entry.stat()
    except OSError:
        return NO_STAMP  # the ingestion opens the file and quarantines it with the reason
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
