"""An image folder -> its layout: `<class>/*` or `<split>/<class>/*`."""

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from components.image_example_gen.catalogue import (
    NO_STAMP,
    Catalogue,
    Layout,
    encoded,
    transaction,
)
from components.image_example_gen.listing import (
    SkippedFile,
    is_clutter,
    printable,
    split_of,
)
from components.image_example_gen.objects import listed_objects
from contracts import features
from contracts.errors import DataError
from contracts.remote_path import RemotePath, Root

_HIDDEN = SkippedFile("", "hidden", "hidden, or left behind by a desktop program")


_FILES_A_TRANSACTION = 16_384
# Files as they are listed, before it is known which folders are classes; folders by number.
_LISTED = """
CREATE TABLE listed (
    path BLOB, folder INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER
);
CREATE TABLE folder (
    folder INTEGER PRIMARY KEY, label TEXT, split TEXT, reason TEXT, detail TEXT
);
"""
_PLACED = """
INSERT INTO file SELECT path, label, split, NULL, size, mtime_ns, ctime_ns, inode, NULL
    FROM listed JOIN folder USING (folder) WHERE reason IS NULL ORDER BY path;
INSERT INTO skipped SELECT path, reason, detail
    FROM listed JOIN folder USING (folder) WHERE reason IS NOT NULL;
DROP TABLE listed;
DROP TABLE folder;
"""


@dataclass
class _Tree:
    """All folders, by paths relative to the root, with numbers; how many files they hold."""

    folders: dict[str, int] = field(default_factory=dict)
    files: int = 0


def read_folder(root: Root) -> Layout:
    """Return the layout of an image folder, reading names and what the disk says of files.

    No file is opened, and what is in memory does not grow with their number, but with that of
    folders.

    Nested folders below a class belong to the class. A linked folder is followed once, after
    all the folders that stand there themselves, so that a circle of links ends.

    Raises:
      DataError: the folder is empty, holds no class folders, or cannot be listed itself.
    """
    catalogue = Catalogue()
    catalogue.database.executescript(_LISTED)
    if isinstance(root, RemotePath):
        tree = _read_objects(root, catalogue)
    else:
        tree = _TreeReader(root, catalogue).read()
    folders = sorted(tree.folders)
    tops = [folder for folder in folders if folder and "/" not in folder and not is_clutter(folder)]
    has_splits = bool(tops) and all(split_of(top) for top in tops)
    has_splits = has_splits and features.TRAIN in map(split_of, tops)
    depth = 2 if has_splits else 1
    classes = [
        folder
        for folder in folders
        if folder and folder.count("/") == depth - 1 and not _is_hidden(folder)
    ]
    if not classes:
        is_empty = not tree.files and not len(catalogue.skipped)
        raise DataError(_no_classes(root, is_empty, tree.files, tops if has_splits else []))
    with transaction(catalogue.database) as run:
        run.executemany(
            "INSERT INTO folder VALUES (?, ?, ?, ?, ?)",
            ((number, *_place(depth, folder)) for folder, number in tree.folders.items()),
        )
    catalogue.database.executescript(_PLACED)
    layout = Layout(
        kind="splits" if has_splits else "classes",
        description=_describe(tops, len({folder.split("/")[-1] for folder in classes}), has_splits),
        root=root,
        catalogue=catalogue,
    )
    labels = {printable(folder.split("/")[-1]) for folder in classes}
    layout.empty_classes.extend(sorted(labels - set(layout.labels)))
    return layout


def _read_objects(root: RemotePath, catalogue: Catalogue) -> _Tree:
    """Put what lies in an object store into the catalogue, and return the folders.

    There are none in such a store but for the slashes in names.

    Raises:
      DataError: the store gives no listing.
    """
    tree = _Tree({"": 0})
    for some in listed_objects(root):
        rows, hidden = [], []
        for path, stamp in some:
            folder, _, name = path.rpartition("/")
            above = folder
            while above not in tree.folders:
                tree.folders[above] = len(tree.folders)
                above = above.rpartition("/")[0]
            if is_clutter(name):
                hidden.append(SkippedFile(path, *_HIDDEN[1:]))
            else:
                rows.append((encoded(path), tree.folders[folder], *stamp))
        with transaction(catalogue.database) as run:
            run.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?)", rows)
        catalogue.skip(hidden)
        tree.files += len(some)
    return tree


def _is_hidden(folder: str) -> bool:
    return any(map(is_clutter, folder.split("/")))


def _place(depth: int, folder: str) -> tuple[str | None, ...]:
    """Return label and split of the files of a folder, or reason and detail why they are skipped.

    Their class is the part at `depth` of the path, counted from 1.
    """
    parts = folder.split("/") if folder else []
    if _is_hidden(folder):
        return None, None, _HIDDEN.reason, _HIDDEN.detail
    if len(parts) < depth:
        where = f"{printable(parts[0])}/" if parts else "the data root"
        detail = f"stands in {where} itself, outside any class folder"
        return None, None, "outside_class_folder", detail
    split = split_of(parts[0]) if depth > 1 else None
    return printable(parts[depth - 1]), split, None, None


class _TreeReader:
    """Lists folders; each real folder once, whatever links lead to it."""

    def __init__(self, root: Path, catalogue: Catalogue) -> None:
        self.tree = _Tree()
        self._root = root
        self._catalogue = catalogue
        self._seen: set[tuple[int, int]] = set()

    def read(self) -> _Tree:
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
        """List one folder; add those in it to `folders`, and to `links` those linked there."""
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
            self.tree.folders[folder] = len(self.tree.folders)
            # By the open folder, so that files are asked in half the time of whole paths.
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
        """Take the files of a folder some at a time; return what is none."""
        others: list[os.DirEntry[str]] = []
        entries = iter(scan)
        while some := list(islice(entries, _FILES_A_TRANSACTION)):
            files = []
            for entry in some:
                (files if entry.is_file(follow_symlinks=False) else others).append(entry)
            self._add(folder, files)
        return others

    def _add(self, folder: str, files: list[os.DirEntry[str]]) -> None:
        prefix, number = f"{folder}/" if folder else "", self.tree.folders[folder]
        rows, hidden = [], []
        for entry in files:
            path = prefix + entry.name
            if is_clutter(entry.name):
                hidden.append(SkippedFile(path, *_HIDDEN[1:]))
            else:
                rows.append((encoded(path), number, *_stamp(entry)))
        with transaction(self._catalogue.database) as run:
            run.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._catalogue.skip(hidden)
        self._catalogue.note_names([path for path, *_ in rows])
        self.tree.files += len(files)

    def _add_others(
        self, folder: str, others: list[os.DirEntry[str]], folders: list[str], links: deque[str]
    ) -> None:
        """Take what is no file itself: folders, links, and what can be no image."""
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
        except OSError as error:  # it leads to itself, or through a closed folder
            detail = f"a link that cannot be followed: {error.strerror}"
        self._skip(path, "broken_link", detail)
        return False

    def _skip(self, path: str, reason: str, detail: str) -> None:
        self._catalogue.skip([SkippedFile(path, reason, detail)])


def _stamp(entry: os.DirEntry[str]) -> tuple[int, int, int, int]:
    try:
        status = entry.stat()
    except OSError:
        return NO_STAMP  # the ingestion opens it and says why it cannot
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _describe(tops: list[str], class_count: int, has_splits: bool) -> str:
    """Say in one sentence what the folders were taken for."""
    if has_splits:
        return (
            f"The top folders {', '.join(map(printable, tops))} are splits, "
            f"the {class_count} folders below them classes."
        )
    suspects = [printable(top) for top in tops if split_of(top)]
    if not suspects:
        return f"The {class_count} top folders are classes; the data brings no splits."
    return (
        f"The {class_count} top folders are classes, {', '.join(suspects)} too: splits are read "
        "only where every top folder is named train, validation or test, and train is among them."
    )


def _no_classes(root: Root, is_empty: bool, files: int, splits: list[str]) -> str:
    """Say why a folder without class folders cannot be used, and what to do."""
    if splits:
        return (
            f"data.root: expected a folder a class in {', '.join(map(printable, splits))} "
            f"of {root}, found none. Sort the images into <split>/<class>/."
        )
    if is_empty and isinstance(root, RemotePath):
        return (
            f"data.root: there is nothing at {root}/. Correct the name, "
            "or put one folder of images a class there."
        )
    if is_empty:
        return f"data.root: {root} is empty. Put one folder of images a class into it."
    return (
        f"data.root: expected one folder of images a class in {root}, found "
        f"{files} loose files and no folders. Sort them into <class>/, "
        "or name a CSV with the columns path,label as data.root."
    )
