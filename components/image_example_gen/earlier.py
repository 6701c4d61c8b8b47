"""Shards of an earlier ingestion that hold just what this one would write: they are linked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from components.image_example_gen.core import Job, records_path
from components.image_example_gen.listing import ImageFile
from components.image_example_gen.manifest import FILES_FOLDER, PART_PREFIX
from contracts import features
from contracts.whole_files import link

# Every ingestion of new images leaves shards of its own; with too many all images are read anew.
SHARDS_AT_MOST = 100

COLUMNS = ("path", "label", "split", "group", "sha256")


@dataclass(frozen=True)
class Earlier:
    """An ingestion by the same code with the same settings.

    `digests` are the SHA-256 of the files as they are now, by path; files whose content is not
    known are not in it.
    """

    examples_uri: str
    manifest_uri: str
    digests: Mapping[str, str]


def link_shards(
    earlier: Earlier, job: Job, files: Sequence[ImageFile]
) -> tuple[list[ImageFile], int]:
    """Link the shards that would come out the same; return the files left and the next number.

    A shard is the same where each of its files is still there, with the same content, label and
    group, and belongs into the same split.
    """
    now = {file.path: file for file in files}
    same: list[str] = []
    covered: set[str] = set()
    for shard, rows in _shards(earlier.manifest_uri):
        if all(_is_as_before(row, now, earlier.digests, job) for row in rows):
            same.append(shard)
            covered.update(row[0] for row in rows)
    if len(same) > SHARDS_AT_MOST:
        return list(files), 0
    for shard in same:
        _link(earlier, job, shard)
    left = [file for file in files if file.path not in covered]
    return left, max((int(shard.partition("-")[0]) + 1 for shard in same), default=0)


def _shards(manifest_uri: str) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Give number and digest, and the rows in the order of COLUMNS, of every shard."""
    for part in sorted(Path(manifest_uri, FILES_FOLDER).glob(f"{PART_PREFIX}*.parquet")):
        columns = pq.read_table(part, columns=list(COLUMNS)).select(COLUMNS).columns
        rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
        yield part.stem.removeprefix(PART_PREFIX), rows


def _is_as_before(
    row: tuple[str, ...], now: Mapping[str, ImageFile], digests: Mapping[str, str], job: Job
) -> bool:
    path, label, split, group, sha256 = row
    file = now.get(path)
    if file is None or sha256 is None or digests.get(path) != sha256:
        return False
    if (file.label, file.group) != (label, group):
        return False
    return split is None or job.cut.split_of(file, sha256) == split


def _link(earlier: Earlier, job: Job, shard: str) -> None:
    for split in features.SPLITS:
        link(
            records_path(earlier.examples_uri, split, shard),
            records_path(job.examples_uri, split, shard),
        )
    part = Path(FILES_FOLDER, f"{PART_PREFIX}{shard}.parquet")
    link(Path(earlier.manifest_uri, part), Path(job.manifest_uri, part))
