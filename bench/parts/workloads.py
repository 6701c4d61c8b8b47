"""Workloads on generated images."""

from dataclasses import replace
from pathlib import Path

from bench.images import ImageKind, image_folder
from bench.peers.workload import Workload


def workload_on(kind: ImageKind, count: int, scratch: Path) -> Workload:
    """Return a workload on a folder of so many images."""
    images = image_folder(kind, count, scratch)
    folder = scratch / "work" / f"{kind.name}-{count}"
    return Workload(images=images, folder=folder, size_px=32, epochs=2, batch_size=64)


def peer_workload(work: Workload, name: str) -> Workload:
    """Return the same workload in another folder, for a peer."""
    return replace(work, folder=work.folder.with_name(f"{work.folder.name}-{name}"))
