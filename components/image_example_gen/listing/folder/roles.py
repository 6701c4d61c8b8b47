"""The role of each folder below a data root: a split, a class, or unused."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.image_example_gen.listing.entries import is_clutter, printable, text_of
from components.image_example_gen.listing.folder.content import contents
from components.image_example_gen.listing.folder.splits import split_folders
from components.image_example_gen.listing.folder.tree import HIDDEN, FolderTree
from components.image_example_gen.listing.leave_out import LEFT_OUT
from contracts.artifacts import features
from contracts.system.errors import DataError
from contracts.system.storage.remote_path import Root


@dataclass(frozen=True)
class FolderRoles:
    """The folders of each role.

    `splits` maps top folders to splits; it is empty if the top folders are classes. No file in
    folders of `without_images` and `left_out` is used, subfolders included.
    """

    splits: Mapping[str, str]
    classes: frozenset[str]
    without_images: frozenset[str]
    left_out: frozenset[str]

    @property
    def labels(self) -> set[str]:
        """The labels of the class folders."""
        return set(map(_last_name, self.classes))

    @property
    def unused(self) -> list[str]:
        """The names of the unused folders, sorted."""
        return sorted(set(map(_last_name, self.without_images | self.left_out)))

    @property
    def splits_without_classes(self) -> dict[str, str]:
        """The splits without a class folder, by top folder."""
        with_classes = {folder.split("/")[0] for folder in self.classes | self.left_out}
        return {top: split for top, split in self.splits.items() if top not in with_classes}

    def place(self, folder: str) -> tuple[str | None, ...]:
        """Return label and split of a folder's files, or reason and detail of their skip."""
        parts = folder.split("/") if folder else []
        depth = 2 if self.splits else 1
        if any(map(is_clutter, parts)):
            return None, None, HIDDEN.reason, HIDDEN.detail
        for above in ("/".join(parts[:count]) for count in range(1, depth + 1)):
            if above in self.left_out:
                return None, None, *LEFT_OUT
            if above in self.without_images:
                detail = f"nothing in {printable(above)}/ is an image"
                return None, None, "folder_without_images", detail
        if len(parts) < depth:
            where = f"{printable(parts[0])}/" if parts else "the data root"
            detail = f"stands in {where} itself, outside any class folder"
            return None, None, "outside_class_folder", detail
        return text_of(parts[depth - 1]), self.splits.get(parts[0]), None, None


def folder_roles(root: Root, tree: FolderTree, leave_out: frozenset[str]) -> FolderRoles:
    """Return the roles of the folders of a tree.

    `leave_out` are names of class folders, and of top folders beside splits.

    Raises:
      DataError: the top folders are neither all splits nor all classes, or the split train has
        no class folder.
    """
    tops = contents(root, tree, 1)
    left_out = {top for top in tops if text_of(top) in leave_out}
    splits = split_folders(
        root,
        tree,
        {top: one for top, one in tops.items() if one.may_hold_images and top not in left_out},
    )
    classes = tops
    if splits:
        below = contents(root, tree, 2)
        classes = {folder: one for folder, one in below.items() if folder.split("/")[0] in splits}
        left_out |= {folder for folder in classes if _last_name(folder) in leave_out}
    others = {name for name, one in (tops | classes).items() if one.has_other_files_only}
    places = FolderRoles(
        splits=splits,
        classes=frozenset(classes) - others - left_out,
        without_images=frozenset(others - left_out),
        left_out=frozenset(left_out),
    )
    _require_train_classes(root, places)
    return places


def _require_train_classes(root: Root, places: FolderRoles) -> None:
    for top, split in places.splits_without_classes.items():
        if split == features.TRAIN:
            raise DataError(
                f"data.root: expected a folder a class in {root}/{printable(top)}, received images "
                f"without class folders. Sort them into {printable(top)}/<class>/, "
                "or name a CSV with the columns path,label as data.root."
            )


def _last_name(folder: str) -> str:
    return text_of(folder.rpartition("/")[2])
