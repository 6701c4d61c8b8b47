"""Tells which folders of a tree may hold images, by names and the first bytes of a few files."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from components.image_example_gen.listing.entries import is_clutter
from components.image_example_gen.listing.folder.tree import FolderTree, ListedFolder
from components.image_example_gen.listing.image_names import FIRST_BYTES, may_be_image
from contracts.system.storage import objects
from contracts.system.storage.remote_path import RemotePath, Root

_FILES_OPENED: Final = 32


@dataclass(frozen=True)
class FolderContent:
    """The number of files below a folder, and whether one of them may be an image."""

    files: int
    may_hold_images: bool

    @property
    def count(self) -> str:
        """The number of files, in words."""
        return "1 file" if self.files == 1 else f"{self.files} files"

    @property
    def has_other_files_only(self) -> bool:
        """Whether there are files, and none of them is an image."""
        return self.files > 0 and not self.may_hold_images


def contents(root: Root, tree: FolderTree, depth: int) -> dict[str, FolderContent]:
    """Return the content of each folder at a depth, with all folders below it.

    Hidden folders are left out.
    """
    found: defaultdict[str, list[tuple[str, ListedFolder]]] = defaultdict(list)
    for path in sorted(tree.folders):
        parts = path.split("/")
        if path and len(parts) >= depth and not any(map(is_clutter, parts)):
            found["/".join(parts[:depth])].append((path, tree.folders[path]))
    return {top: content(root, below) for top, below in found.items()}


def content(root: Root, folders: list[tuple[str, ListedFolder]]) -> FolderContent:
    """Return the content of some folders together, each without its subfolders.

    A file with the name of an image is enough to hold images. Otherwise the first bytes of at most
    32 files are read, until one of them may be an image.
    """
    files = sum(folder.files for _, folder in folders)
    if any(folder.has_image_name for _, folder in folders):
        return FolderContent(files, may_hold_images=True)
    sample = [f"{path}/{name}" for path, folder in folders for name in folder.sample]
    step = -(-len(sample) // _FILES_OPENED) or 1
    return FolderContent(files, _one_may_be_image(root, sample[::step]))


def _one_may_be_image(root: Root, paths: Iterable[str]) -> bool:
    return any(may_be_image(path.rpartition("/")[2], _first_bytes(root, path)) for path in paths)


def _first_bytes(root: Root, path: str) -> bytes:
    try:
        if isinstance(root, RemotePath):
            return objects.first_bytes(f"{root}/{path}", FIRST_BYTES)
        with (root / path).open("rb") as file:
            return file.read(FIRST_BYTES)
    except OSError:
        return b""  # not lost: its name may be an image's, and then the ingestion quarantines it
