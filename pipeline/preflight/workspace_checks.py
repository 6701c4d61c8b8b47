"""Checks whether a run can use a folder as its workspace; they change nothing."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from components.image_example_gen.listing.file_index import FileIndex
from components.image_example_gen.listing.layout import Layout
from contracts.system.errors import InputError, WorkspaceError
from contracts.system.storage.remote_path import RemotePath
from pipeline.component_ids import IMAGE_EXAMPLE_GEN, IMAGE_TRANSFORM
from pipeline.doctor.machine import read_disk
from pipeline.workspace import Workspace, other_run, unwritable

OPTION = "--workspace"

# TFX, Beam and TensorFlow read these as patterns of names (tf.io.gfile.glob). MLflow reads ? as the
# end of a path.
PATTERN_CHARACTERS = "*?[\\"

CHANNELS = 3
# Room for metadata, models and the log.
SPARE_BYTES = 64 * 2**20


def require_usable(root: Path) -> None:
    """Return if a run can use the folder as its workspace.

    Raises:
      WorkspaceError: all problems: its path cannot be used, it cannot be written, another run is
        in it.
    """
    problems = [*unusable_path(root), *_unwritable(root), *other_run(root)]
    if problems:
        raise WorkspaceError(problems)


def require_apart(root: Path, layout: Layout) -> None:
    """Raise InputError where the workspace lies among the images."""
    if isinstance(layout.root, RemotePath) or layout.kind == "csv":
        return
    workspace = root.resolve()
    if workspace.is_relative_to(layout.root.resolve()):
        raise InputError(
            f"{OPTION}: expected a folder outside the images, received {workspace}, which "
            "lies in data.root and would be taken for a class. Name another."
        )


def require_space(root: Path, layout: Layout, size_px: int) -> None:
    """Raise WorkspaceError where the disk has no room for a run over the images.

    A run keeps each image twice: as canonical bytes (about the size of its file) and as pixels. The
    bytes that a run before has kept in this workspace are not counted again.
    """
    workspace, images = Workspace(root.resolve()), len(layout.files)
    new = max(0, FileIndex(layout).file_bytes - _kept(workspace, IMAGE_EXAMPLE_GEN, "examples"))
    new += max(
        0,
        images * size_px**2 * CHANNELS - _kept(workspace, IMAGE_TRANSFORM, "transformed_examples"),
    )
    needed, free = new + SPARE_BYTES, read_disk(root).free
    if free < needed:
        raise WorkspaceError(
            f"{root}: expected about {needed / 2**20:,.0f} MiB of free disk for {images:,} images, "
            f"found {free / 2**20:,.0f} MiB. Free some, or name another folder with {OPTION}."
        )


def _kept(workspace: Workspace, component: str, key: str) -> int:
    """Return the bytes of a component's newest artifact, 0 where there is none."""
    newest = workspace.artifacts(component, key)[:1]
    return sum(file.stat().st_size for folder in newest for file in folder.glob("*/*"))


def unusable_path(root: Path) -> Iterator[str]:
    """Yield the problems that libraries have with the path of a workspace."""
    text = str(root.resolve())
    found = sorted(set(PATTERN_CHARACTERS) & set(text))
    if found:
        yield (
            f"{OPTION}: expected a path without {' '.join(PATTERN_CHARACTERS)}, which TFX takes "
            f"for patterns of names, received {' '.join(found)} in {text}. Name another folder."
        )
    if any("\ud800" <= one <= "\udfff" for one in text):  # how Python reads other bytes
        yield f"{OPTION}: expected a path in UTF-8, received {text!r}. Name another folder."


def _unwritable(root: Path) -> Iterator[str]:
    disk = read_disk(root)
    if not disk.folder.is_dir():
        yield unwritable(root, os.strerror(errno.ENOTDIR), disk.folder)
    elif not disk.is_writable:
        yield unwritable(root, os.strerror(errno.EACCES), disk.folder)
