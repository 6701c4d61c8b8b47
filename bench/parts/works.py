"""Pieces of work on images that are made, or kept from before."""

from dataclasses import replace
from pathlib import Path

from bench.images import Kind, image_folder
from bench.peers.work import Work


def work_on(kind: Kind, count: int, scratch: Path) -> Work:
    """Return work on a folder of so many images."""
    images = image_folder(kind, count, scratch)
    folder = scratch / "work" / f"{kind.name}-{count}"
    return Work(images=images, folder=folder, size_px=32, epochs=2, batch_size=64)


def beside(work: Work, name: str) -> Work:
    """Return the same work in another folder, for a peer."""
    return replace(work, folder=work.folder.with_name(f"{work.folder.name}-{name}"))
