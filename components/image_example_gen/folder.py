"""An image folder -> its layout: `<class>/*` or `<split>/<class>/*`."""

import os
from collections import deque
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from components.image_example_gen.listing import (
    ImageFile,
    Layout,
    SkippedFile,
    is_clutter,
    printable,
    split_of,
)
from contracts import features
from contracts.errors import DataError

_HIDDEN = SkippedFile("", "hidden", "hidden, or left behind by a desktop program")


@dataclass
class _Tree:
    """Paths relative to the root: all regular files, all folders, and what is neither."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)


def read_folder(root: Path) -> Layout:
    """Return the layout of an image folder, reading names only: no file is opened or asked.

    Nested folders below a class belong to the class. A linked folder is followed once, after
    all the folders that stand there themselves, so that a circle of links ends.

    Raises:
      DataError: the folder is empty, holds no class folders, or cannot be listed itself.
    """
    tree = _TreeReader(root).read()
    tops = [folder for folder in tree.folders if "/" not in folder and not is_clutter(folder)]
    has_splits = bool(tops) and all(split_of(top) for top in tops)
    has_splits = has_splits and features.TRAIN in map(split_of, tops)
    depth = 2 if has_splits else 1
    classes = [
        folder
        for folder in tree.folders
        if folder.count("/") == depth - 1 and not any(map(is_clutter, folder.split("/")))
    ]
    if not classes:
        raise DataError(_no_classes(root, tree, tops if has_splits else []))
    layout = Layout(
        kind="splits" if has_splits else "classes",
        description=_describe(tops, len({folder.split("/")[-1] for folder in classes}), has_splits),
        root=root,
        files=[],
        skipped=tree.skipped,
    )
    place = cache(partial(_place, depth))
    for path in tree.files:
        folder, _, name = path.rpartition("/")
        placed = _HIDDEN if is_clutter(name) else place(folder)
        if isinstance(placed, ImageFile):
            layout.files.append(ImageFile(path, placed.label, placed.split))
        else:
            layout.skipped.append(SkippedFile(path, placed.reason, placed.detail))
    layout.skipped.sort(key=lambda skipped: skipped.path)
    labels = {printable(folder.split("/")[-1]) for folder in classes}
    layout.empty_classes.extend(sorted(labels - set(layout.labels)))
    return layout


def _place(depth: int, folder: str) -> ImageFile | SkippedFile:
    """Return what the files of a folder are, but for their paths.

    Their class is the part at `depth` of the path, counted from 1.
    """
    parts = folder.split("/") if folder else []
    if any(map(is_clutter, parts)):
        return _HIDDEN
    if len(parts) < depth:
        where = f"{printable(parts[0])}/" if parts else "the data root"
        detail = f"stands in {where} itself, outside any class folder"
        return SkippedFile(folder, "outside_class_folder", detail)
    split = split_of(parts[0]) if depth > 1 else None
    return ImageFile(folder, printable(parts[depth - 1]), split)


class _TreeReader:
    """Lists folders; each real folder once, whatever links lead to it."""

    def __init__(self, root: Path) -> None:
        self.tree = _Tree()
        self._root = root
        self._seen: set[tuple[int, int]] = set()

    def read(self) -> _Tree:
        """Return everything below the root, sorted.

        Raises:
          DataError: the root cannot be listed.
        """
        links = deque([""])
        while links:
            folders = [links.popleft()]
            while folders:
                self._read_folder(folders.pop(), folders, links)
        self.tree.files.sort()
        self.tree.folders.sort()
        return self.tree

    def _read_folder(self, folder: str, folders: list[str], links: deque[str]) -> None:
        """List one folder; add those in it to `folders`, and to `links` those linked there."""
        try:
            status = (self._root / folder).stat()
            if (status.st_dev, status.st_ino) in self._seen:
                detail = "a link to a folder that is listed under another name"
                self.tree.skipped.append(SkippedFile(folder, "listed_elsewhere", detail))
                return
            self._seen.add((status.st_dev, status.st_ino))
            with os.scandir(self._root / folder) as scan:
                entries = list(scan)
        except OSError as error:
            if not folder:
                raise DataError(
                    f"data.root: {self._root} cannot be listed ({error.strerror}). "
                    "Make it readable, or name another folder."
                ) from error
            detail = f"a folder that cannot be listed: {error.strerror}"
            self.tree.skipped.append(SkippedFile(folder, "unreadable_folder", detail))
            return
        if folder:
            self.tree.folders.append(folder)
        others = []
        prefix = f"{folder}/" if folder else ""
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                self.tree.files.append(prefix + entry.name)
            else:
                others.append(entry)
        for entry in sorted(others, key=lambda entry: entry.name):
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif not entry.is_symlink():
                skipped = SkippedFile(path, "not_a_file", "a pipe, socket or device")
                self.tree.skipped.append(skipped)
            else:
                self._add_link(entry, path, links)

    def _add_link(self, entry: os.DirEntry[str], path: str, links: deque[str]) -> None:
        detail = "a link that leads to no file"
        try:
            if entry.is_dir():
                links.append(path)
                return
            if entry.is_file():
                self.tree.files.append(path)
                return
        except OSError as error:  # it leads to itself, or through a closed folder
            detail = f"a link that cannot be followed: {error.strerror}"
        self.tree.skipped.append(SkippedFile(path, "broken_link", detail))


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


def _no_classes(root: Path, tree: _Tree, splits: list[str]) -> str:
    """Say why a folder without class folders cannot be used, and what to do."""
    if splits:
        return (
            f"data.root: expected a folder a class in {', '.join(map(printable, splits))} "
            f"of {root}, found none. Sort the images into <split>/<class>/."
        )
    if not tree.files and not tree.skipped:
        return f"data.root: {root} is empty. Put one folder of images a class into it."
    return (
        f"data.root: expected one folder of images a class in {root}, found "
        f"{len(tree.files)} loose files and no folders. Sort them into <class>/, "
        "or name a CSV with the columns path,label as data.root."
    )
