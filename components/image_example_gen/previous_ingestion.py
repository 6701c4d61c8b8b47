"""Links the shards of a previous ingestion that would come out the same."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.image_example_gen.core import IngestionJob
from components.image_example_gen.listing.catalogue import Catalogue
from components.image_example_gen.splitting.splits import split_key
from contracts.artifacts import features
from contracts.artifacts.example_shards import shard_path
from contracts.artifacts.manifest.file_row import FILES_FOLDER, PART_PREFIX
from contracts.artifacts.manifest.rows import read_part
from contracts.system.atomic_files import link

# Every ingestion of new images adds shards; with more than this all images are ingested again.
SHARDS_AT_MOST = 100

COLUMNS = ["path", "label", "split", "group", "sha256"]

IngestedRow = tuple[str, str | None, str | None, str | None, str | None]


@dataclass(frozen=True)
class PreviousIngestion:
    """An ingestion into the same workspace.

    `settings` is the digest of its code and settings: its shards are linked only if it is the same.
    An image stays in the split of this ingestion as long as `parts`, the shares of the splits, are
    the same, even if other settings have changed.
    """

    examples_uri: str
    manifest_uri: str
    settings: str
    moved: Mapping[str, str]
    parts: Mapping[str, float]


def link_shards(previous: PreviousIngestion, job: IngestionJob, catalogue: Catalogue) -> int:
    """Link the shards that would come out the same; return the next number of a shard.

    A shard is linked if each of its files is still there, with the same content (by the digests of
    the catalogue), label and group, and belongs to the same split. Its files need no ingestion.
    """
    same: list[str] = []
    # With the same plan the keys give the same splits: there is no need to compute them again.
    is_same_plan = (previous.parts, previous.moved) == (job.split_plan.shares, job.split_plan.moved)
    by_key = frozenset(job.split_plan.shares if is_same_plan else ())
    for shard, rows in _read_shards(previous.manifest_uri):
        paths = _find_same(rows, job, catalogue, by_key)
        if paths is not None:
            same.append(shard)
            catalogue.mark_covered(paths)
    if len(same) > SHARDS_AT_MOST:
        catalogue.clear_covered()
        return 0
    for shard in same:
        _link_shard(previous, job, shard)
    return max((int(shard.partition("-")[0]) + 1 for shard in same), default=0)


def settled_keys(previous: PreviousIngestion, labels: Collection[str]) -> set[str]:
    """Return the split keys of the ingested images of these classes."""
    if not labels:
        return set()
    return {
        split_key(group, sha256)
        for _, rows in _read_shards(previous.manifest_uri)
        for _, label, split, group, sha256 in rows
        if label in labels and split is not None and sha256 is not None
    }


def _read_shards(manifest_uri: str) -> Iterator[tuple[str, list[IngestedRow]]]:
    """Give the rows of every shard, with its number and digest."""
    for part in sorted(Path(manifest_uri, FILES_FOLDER).glob(f"{PART_PREFIX}*.parquet")):
        table = read_part(part, COLUMNS).select(COLUMNS)
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        yield part.stem.removeprefix(PART_PREFIX), rows


def _find_same(
    rows: list[IngestedRow], job: IngestionJob, catalogue: Catalogue, by_key: frozenset[str]
) -> list[bytes] | None:
    """Return the paths of a shard's files if each would get the same row again, else None."""
    paths = []
    all_found = catalogue.find_all([name for name, *_ in rows])
    for (_, label, split, group, sha256), found in zip(rows, all_found, strict=True):
        if found is None:
            return None
        path, file, digest = found
        if sha256 is None or (file.label, file.group, digest) != (label, group, sha256):
            return None
        # A file that was quarantined belongs to no split.
        is_settled = split in by_key and (file.split is None or file.split in by_key)
        if split is not None and not is_settled and split != job.split_plan.split_of(file, sha256):
            return None
        paths.append(path)
    return paths


def _link_shard(previous: PreviousIngestion, job: IngestionJob, shard: str) -> None:
    for split in features.SPLITS:
        link(
            shard_path(previous.examples_uri, split, shard),
            shard_path(job.examples_uri, split, shard),
        )
    part = Path(FILES_FOLDER, f"{PART_PREFIX}{shard}.parquet")
    link(Path(previous.manifest_uri, part), Path(job.manifest_uri, part))
