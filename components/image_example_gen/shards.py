"""Which files are ingested together."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.image_example_gen.file_row import PART_PREFIX
from components.image_example_gen.listing import ImageFile

# Added to each file's size, so that shards of tiny files take as long as those of large ones.
_OVERHEAD_BYTES = 4096
_SHARDS_A_PROCESS = 2


@dataclass(frozen=True)
class Shard:
    """Files that are ingested by one process, in this order."""

    index: int
    files: Sequence[ImageFile]

    @property
    def number(self) -> str:
        """The index as it stands in names."""
        return f"{self.index:05}"

    @property
    def part(self) -> str:
        """What the shard's part of the manifest is called, but for its end."""
        return f"{PART_PREFIX}{self.number}"


def plan_shards(
    root: Path, files: Iterable[ImageFile], shard_bytes: int, processes: int, first: int = 0
) -> list[Shard]:
    """Return all files in shards of about `shard_bytes`, at least 2 a process, classes mixed.

    What stands where follows from paths, sizes and the number of shards alone. The shards are
    numbered from `first`.
    """
    ordered = sorted(files, key=lambda file: hashlib.sha256(os.fsencode(file.path)).digest())
    sizes = _sizes(root, ordered)
    least = min(_SHARDS_A_PROCESS * processes, len(ordered))
    count = min(max(-(-sum(sizes) // shard_bytes), least), len(ordered))
    total = sum(sizes) + len(sizes) * _OVERHEAD_BYTES
    shards: list[list[ImageFile]] = [[] for _ in range(count)]
    before = 0
    for file, size in zip(ordered, sizes, strict=True):
        shards[before * count // total].append(file)
        before += size + _OVERHEAD_BYTES
    return [Shard(index, some) for index, some in enumerate(filter(None, shards), first)]


def _sizes(root: Path, files: Iterable[ImageFile]) -> list[int]:
    """Return the size of each file in bytes, 0 of one that has vanished: it is quarantined later.

    Relative to an open folder, which takes half the time of whole paths.
    """
    sizes = []
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for file in files:
            try:
                sizes.append(os.stat(file.path, dir_fd=folder).st_size)
            except OSError:
                sizes.append(0)
    finally:
        os.close(folder)
    return sizes
