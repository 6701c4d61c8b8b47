"""Shards of an earlier ingestion that hold just what this one would write: they are linked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from components.image_example_gen.core import Job, records_path
from components.image_example_gen.file_row import FILES_FOLDER, PART_PREFIX
from components.image_example_gen.listing import ImageFile, printable
from components.image_example_gen.manifest import ROW, read_part
from contracts import features
from contracts.whole_files import link

# Every ingestion of new images leaves shards of its own; with too many all images are read anew.
SHARDS_AT_MOST = 100

COLUMNS = ["path", "label", "split", "group", "sha256"]
SCHEMA = pa.schema([ROW.field(name) for name in COLUMNS])


@dataclass(frozen=True)
class Earlier:
    """An ingestion into the same workspace.

    `settings` is the digest of its code and settings, by which its shards can be used again or
    not; the moves of its split are kept in any case. `digests` are the SHA-256 of the files as
    they are now, by path; files whose content is not known are not in it.
    """

    examples_uri: str
    manifest_uri: str
    settings: str
    moved: Mapping[str, str]
    digests: Mapping[str, str]


def link_shards(
    earlier: Earlier, job: Job, files: Sequence[ImageFile]
) -> tuple[list[ImageFile], int]:
    """Link the shards that would come out the same; return the files left and the next number.

    A shard is the same where each of its files is still there, with the same content, label and
    group, and belongs into the same split.
    """
    paths = [printable(file.path) for file in files]
    if len(set(paths)) < len(paths):  # names that print alike: the rows do not tell them apart
        return list(files), 0
    shards = _shards(earlier.manifest_uri)
    is_same = _are_in(
        _rows_now(paths, files, earlier.digests, job), pa.concat_tables(shards.values())
    )
    same: list[str] = []
    covered: set[str] = set()
    first = 0
    for shard, rows in shards.items():
        if pc.all(is_same.slice(first, len(rows))).as_py():
            same.append(shard)
            covered.update(rows["path"].to_numpy())
        first += len(rows)
    if len(same) > SHARDS_AT_MOST:
        return list(files), 0
    for shard in same:
        _link(earlier, job, shard)
    left = [file for file, path in zip(files, paths, strict=True) if path not in covered]
    return left, max((int(shard.partition("-")[0]) + 1 for shard in same), default=0)


def _shards(manifest_uri: str) -> dict[str, pa.Table]:
    """Return the rows of every shard, by its number and digest."""
    parts = sorted(Path(manifest_uri, FILES_FOLDER).glob(f"{PART_PREFIX}*.parquet"))
    return {
        part.stem.removeprefix(PART_PREFIX): read_part(part, COLUMNS).select(COLUMNS)
        for part in parts
    }


def _rows_now(
    paths: Sequence[str], files: Sequence[ImageFile], digests: Mapping[str, str], job: Job
) -> pa.Table:
    """Return the row that each file would be given if it could be read."""
    known = [digests.get(file.path) for file in files]
    splits = [
        None if sha256 is None else job.cut.split_of(file, sha256)
        for file, sha256 in zip(files, known, strict=True)
    ]
    labels, groups = [file.label for file in files], [file.group for file in files]
    return pa.table([paths, labels, splits, groups, known], schema=SCHEMA)


def _are_in(now: pa.Table, rows: pa.Table) -> pa.ChunkedArray:
    """Tell of each row whether its file would be given the same again."""
    found = now.take(pc.index_in(rows["path"], value_set=now["path"]))
    same_group = pc.equal(pc.fill_null(found["group"], ""), pc.fill_null(rows["group"], ""))
    # A file that was quarantined belongs into no split.
    same_split = pc.or_kleene(pc.is_null(rows["split"]), pc.equal(found["split"], rows["split"]))
    is_same = pc.equal(found["label"], rows["label"])
    for condition in (same_group, same_split, pc.equal(found["sha256"], rows["sha256"])):
        is_same = pc.and_(is_same, condition)
    return pc.fill_null(is_same, False)


def _link(earlier: Earlier, job: Job, shard: str) -> None:
    for split in features.SPLITS:
        link(
            records_path(earlier.examples_uri, split, shard),
            records_path(job.examples_uri, split, shard),
        )
    part = Path(FILES_FOLDER, f"{PART_PREFIX}{shard}.parquet")
    link(Path(earlier.manifest_uri, part), Path(job.manifest_uri, part))
