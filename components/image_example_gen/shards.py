"""Which files are ingested together."""

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

# Added to each file's size, so that shards of tiny files take as long as those of large ones.
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
        """The index as it stands in names."""
        return f"{self.index:05}"

    @property
    def part(self) -> str:
        """What the shard's part of the manifest is called, but for its end."""
        return f"{PART_PREFIX}{self.number}"


def make_shards(
    catalogue: "Catalogue", shard_bytes: int, processes: int, first: int = 0
) -> Iterator[FileShard]:
    """Give all files that need ingestion in shards of about `shard_bytes`, at least 2 a process.

    What stands where follows from paths, sizes and the number of shards alone; classes are
    mixed. The shards are numbered from `first`, and made one at a time.
    """
    images, total_bytes = catalogue.left()
    least = min(_SHARDS_A_PROCESS * processes, images)
    count = min(max(-(-total_bytes // shard_bytes), least), images)
    total = total_bytes + images * _OVERHEAD_BYTES
    before, place, index = 0, 0, first
    files: list[ImageFile] = []
    sizes: list[int] = []
    for file, size in catalogue.mixed():
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
    """Put shards into files of their own, for `read_stored_shard`; give the paths of these.

    They are removed in the end.
    """
    place = folder / ".plan"
    place.mkdir(parents=True)
    try:
        plans = []
        for shard in shards:
            plan = place / shard.number
            plan.write_bytes(pickle.dumps(shard))
            plans.append(str(plan))
        yield plans
    finally:
        shutil.rmtree(place)


def read_stored_shard(plan: str) -> FileShard:
    """Return the shard that stands in a file."""
    shard: FileShard = pickle.loads(Path(plan).read_bytes())
    return shard
