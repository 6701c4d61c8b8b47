"""An image folder -> its layout: `<class>/*` or `<split>/<class>/*`."""

from collections.abc import Iterable, Iterator

from components.image_example_gen.listing.catalogue import Catalogue, transaction
from components.image_example_gen.listing.entries import printable
from components.image_example_gen.listing.folder.roles import FolderRoles, folder_roles
from components.image_example_gen.listing.folder.tree import FolderTree, read_tree
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.split_names import split_of
from contracts.system.errors import DataError, some_of
from contracts.system.storage.remote_path import RemotePath, Root

_PLACED = """
INSERT INTO file SELECT path, label, split, NULL, size, mtime_ns, ctime_ns, inode, NULL
    FROM listed JOIN folder USING (folder) WHERE reason IS NULL ORDER BY path;
INSERT INTO skipped SELECT path, reason, detail
    FROM listed JOIN folder USING (folder) WHERE reason IS NOT NULL;
DROP TABLE listed;
DROP TABLE folder;
"""


def read_folder(root: Root, leave_out: Iterable[str] = ()) -> Layout:
    """Return the layout of an image folder, by names, sizes and times.

    In a folder without a file name of an image, the first bytes of a few files are read. No other
    file is opened. Memory grows with the number of folders, not of files.

    Nested folders below a class belong to the class. A linked folder is followed once, after all
    folders that are no links, so that a circle of links ends. Class folders, and top folders beside
    splits, are skipped if `leave_out` names them.

    Raises:
      DataError: the folder is empty, holds no class folders, holds folders that are neither
        all splits nor all classes, or cannot be listed itself.
    """
    catalogue = Catalogue()
    tree = read_tree(root, catalogue)
    places = folder_roles(root, tree, frozenset(leave_out))
    if not places.classes:
        is_empty = not tree.files and not len(catalogue.skipped)
        raise DataError(_no_classes(root, is_empty, tree, places))
    with transaction(catalogue.database) as run:
        run.executemany(
            "INSERT INTO folder VALUES (?, ?, ?, ?, ?)",
            ((folder.number, *places.place(path)) for path, folder in tree.folders.items()),
        )
    catalogue.database.executescript(_PLACED)
    layout = Layout(
        kind="splits" if places.splits else "classes",
        description=" ".join(_sentences(tree, places)),
        root=root,
        catalogue=catalogue,
        unused=places.unused,
    )
    layout.empty_classes.extend(sorted(places.labels - set(layout.labels)))
    return layout


def _sentences(tree: FolderTree, places: FolderRoles) -> Iterator[str]:
    """Describe the inferred roles of the folders."""
    count = len(places.labels)
    if places.splits:
        tops = [_with_split(top, split) for top, split in places.splits.items()]
        yield f"The top folders are splits: {', '.join(tops)}."
        yield f"The {count} folders below them are classes."
    else:
        yield f"The {count} top folders are classes; the data brings no splits."
        for top in sorted(places.classes):
            if split_of(top) and tree.folders[top].files:
                yield f"{printable(top)} is a class too: it holds images, not folders of classes."
    for top, split in places.splits_without_classes.items():
        yield (
            f"{printable(top)} has no class folders, so that it brings no {split} split: "
            f"its images are not used. Sort them into {printable(top)}/<class>/ to use them."
        )
    for what, folders in (("without images", places.without_images), ("left out", places.left_out)):
        if folders:
            yield f"Folders {what}: {some_of(sorted(map(printable, folders)))}."


def _with_split(top: str, split: str) -> str:
    return printable(top) if top.casefold() == split else f"{printable(top)} ({split})"


def _no_classes(root: Root, is_empty: bool, tree: FolderTree, places: FolderRoles) -> str:
    """Return why a folder without class folders cannot be used, and the next step."""
    if is_empty and isinstance(root, RemotePath):
        return (
            f"data.root: there is nothing at {root}/. Correct the name, "
            "or put one folder of images a class there."
        )
    if is_empty:
        return f"data.root: {root} is empty. Put one folder of images a class into it."
    found = f"{tree.files} loose files and no folders"
    if places.unused:
        folders = sorted(places.without_images | places.left_out)
        found = f"no image in {some_of([f'{printable(folder)}/' for folder in folders])}"
        if places.left_out:
            found = f"nothing that data.leave_out does not name, and {found}"
    return (
        f"data.root: expected one folder of images a class in {root}, found {found}. "
        "Sort the images into <class>/, or name a CSV with the columns path,label as data.root."
    )
