"""Shards: the files that one process ingests together."""

import pickle
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.image_example_gen.listing.entries import ImageFile
from contracts.artifacts.manifest.file_row import PART_PREFIX

if TYPE_CHECKING:
    from components.image_example_gen.listing.catalogue import Catalogue

# Added to the size of each file, so that shards of tiny and of large files take equally long.
_OVERHEAD_BYTES = 4096
_SHARDS_A_PROCESS = 2


@dataclass(frozen=True)
class FileShard:
    """Files that are ingested by one process, in this order."""

    index: int
    files: Sequence[ImageFile]
    sizes: Sequence[int]  # of the files, in bytes, as they were listed

    @property
    def number(self) -> str:
        """The index as it is written in file names."""
        return f"{self.index:05}"

    @property
    def part(self) -> str:
        """The name of the shard's part of the manifest, without its suffix."""
        return f"{PART_PREFIX}{self.number}"


def make_shards(
    catalogue: "Catalogue", shard_bytes: int, processes: int, first: int = 0
) -> Iterator[FileShard]:
    """Give all files that need ingestion in shards of about `shard_bytes`, at least 2 a process.

    The shard of a file depends only on paths, sizes and the number of shards; classes are mixed.
    The shards are numbered from `first`, and made one at a time.
    """
    images, total_bytes = catalogue.count_to_ingest()
    least = min(_SHARDS_A_PROCESS * processes, images)
    count = min(max(-(-total_bytes // shard_bytes), least), images)
    total = total_bytes + images * _OVERHEAD_BYTES
    before, place, index = 0, 0, first
    files: list[ImageFile] = []
    sizes: list[int] = []
    for file, size in catalogue.files_to_ingest():
        now = before * count // total
        if files and now != place:
            yield FileShard(index, files, sizes)
            files, sizes, index = [], [], index + 1
        place = now
        files.append(file)
        sizes.append(size)
        before += size + _OVERHEAD_BYTES
    if files:
        yield FileShard(index, files, sizes)


@contextmanager
def stored_shards(shards: Iterable[FileShard], folder: Path) -> Iterator[list[str]]:
    """Write each shard to a file, for `read_stored_shard`; give the paths of the files.

    The files are removed after the block.
    """
    place = folder / ".shards"
    place.mkdir(parents=True)
    try:
        shard_files = []
        for shard in shards:
            shard_file = place / shard.number
            shard_file.write_bytes(pickle.dumps(shard))
            shard_files.append(str(shard_file))
        yield shard_files
    finally:
        shutil.rmtree(place)


def read_stored_shard(shard_file: str) -> FileShard:
    """Return the shard in a file."""
    shard: FileShard = pickle.loads(Path(shard_file).read_bytes())
    return shard
