"""An image folder -> its layout: `<class>/*` or `<split>/<class>/*`."""

from components.image_example_gen.listing.catalogue import (
    Catalogue,
    Layout,
    transaction,
)
from components.image_example_gen.listing.entries import (
    is_clutter,
    printable,
    split_of,
)
from components.image_example_gen.listing.tree import HIDDEN, read_tree
from contracts import features
from contracts.errors import DataError
from contracts.remote_path import RemotePath, Root

_PLACED = """
INSERT INTO file SELECT path, label, split, NULL, size, mtime_ns, ctime_ns, inode, NULL
    FROM listed JOIN folder USING (folder) WHERE reason IS NULL ORDER BY path;
INSERT INTO skipped SELECT path, reason, detail
    FROM listed JOIN folder USING (folder) WHERE reason IS NOT NULL;
DROP TABLE listed;
DROP TABLE folder;
"""


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
    tree = read_tree(root, catalogue)
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


def _is_hidden(folder: str) -> bool:
    return any(map(is_clutter, folder.split("/")))


def _place(depth: int, folder: str) -> tuple[str | None, ...]:
    """Return label and split of the files of a folder, or reason and detail why they are skipped.

    Their class is the part at `depth` of the path, counted from 1.
    """
    parts = folder.split("/") if folder else []
    if _is_hidden(folder):
        return None, None, HIDDEN.reason, HIDDEN.detail
    if len(parts) < depth:
        where = f"{printable(parts[0])}/" if parts else "the data root"
        detail = f"stands in {where} itself, outside any class folder"
        return None, None, "outside_class_folder", detail
    split = split_of(parts[0]) if depth > 1 else None
    return printable(parts[depth - 1]), split, None, None


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
