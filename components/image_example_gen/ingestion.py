"""Images in a folder or table -> examples and manifest; the caller runs the shards."""

import hashlib
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from components.image_example_gen import core, crash_recovery
from components.image_example_gen.core import IngestionJob
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.trainable import require_trainable
from components.image_example_gen.manifest_summary import summarise, write_skipped
from components.image_example_gen.previous_ingestion import PreviousIngestion, link_shards
from components.image_example_gen.reading.value_ranges import decide_reading
from components.image_example_gen.shards import FileShard, make_shards
from components.image_example_gen.splitting.stratification import plan_stratified_splits
from contracts.artifacts.manifest.dataset import Dataset
from contracts.artifacts.manifest.rows import write_part
from contracts.cache_key.code_digest import code_digest
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool
from contracts.images.isolation.worker import DecodeLimits
from contracts.images.reading import ImageReading
from contracts.system.progress import report_progress

_PROGRESS_EVERY_S = 1.0

# Libraries that the examples depend on, besides our code and the section `data`.
LIBRARIES = ("pillow", "pillow-heif", "tifffile")

RunShards = Callable[[IngestionJob, Iterable[FileShard], int], None]


@dataclass(frozen=True)
class IngestionTarget:
    """The artifacts to fill, the digest of the listing, and a previous ingestion to link from."""

    examples_uri: str
    manifest_uri: str
    listing_digest: str
    previous: PreviousIngestion | None = None


def decode_limits(data: DataConfig) -> DecodeLimits:
    """Return the limits of a decode process."""
    return DecodeLimits(data.limits.max_seconds, data.limits.max_memory_mib << 20)


def settings_json(data: DataConfig) -> str:
    """Return the keys of the section that an ingestion depends on, all but the curated schema."""
    return data.model_dump_json(exclude={"schema_path"})


def settings_digest(data: DataConfig) -> str:
    """Return the SHA-256 of settings and code, as lower-case hex.

    The root of the images is not among the settings: the listing identifies the images.
    """
    settings = data.model_dump_json(exclude={"root", "schema_path"})
    code = code_digest(__name__, libraries=LIBRARIES)
    return hashlib.sha256(f"{settings}\0{code}".encode()).hexdigest()


def ingest_dataset(
    layout: Layout,
    data: DataConfig,
    pool: DecodePool,
    target: IngestionTarget,
    run: RunShards,
) -> Dataset:
    """Write examples and manifest of all images, or nothing.

    Too few readable images are no error here (`refusal.reasons_to_refuse`).

    Args:
      layout: the files.
      data: the settings.
      pool: decodes images.
      target: the artifacts to fill.
      run: calls `ingest_shards` for all shards, in one call or several; receives the job, the
        shards and the number of images in them.

    Raises:
      DataError: the listed files cannot be trained on.
      ComponentError: decode processes keep dying.
      OSError: this machine is in trouble, e.g. the disk is full.
    """
    try:
        require_trainable(layout, data)
        return _fill(layout, data, pool, target, run)
    except BaseException:
        _empty(Path(target.examples_uri))
        _empty(Path(target.manifest_uri))
        raise


def _fill(
    layout: Layout, data: DataConfig, pool: DecodePool, target: IngestionTarget, run: RunShards
) -> Dataset:
    previous = target.previous
    reading, ranges = decide_reading(pool, layout, data, previous)
    # Before the shards: an fsync after them would wait for all their bytes.
    core.write_labels(target.examples_uri, layout.labels)
    reading.write(Path(target.examples_uri))
    plan = plan_stratified_splits(pool, layout, data, reading, previous)
    job = IngestionJob(layout.root, target.examples_uri, target.manifest_uri, plan, reading)
    first, settings = 0, settings_digest(data)
    if previous is not None and _reads_alike(previous, settings, reading):
        first = link_shards(previous, job, layout.catalogue)
    images, _ = layout.catalogue.count_to_ingest()
    shard_bytes = data.shard_size_mib << 20
    run(job, make_shards(layout.catalogue, shard_bytes, pool.processes, first), images)
    write_skipped(target.manifest_uri, layout.skipped)
    dataset = summarise(target.manifest_uri, layout, plan, target.listing_digest, settings)
    dataset = replace(dataset, value_ranges=ranges)
    dataset.write(target.manifest_uri)
    return dataset


def _reads_alike(previous: PreviousIngestion, settings: str, reading: ImageReading) -> bool:
    """Tell whether a previous ingestion makes the same examples of the same files."""
    return previous.settings == settings and reading == ImageReading.read(
        Path(previous.examples_uri)
    )


def ingest_shards(
    pool: DecodePool, job: IngestionJob, shards: Iterable[FileShard], images: int
) -> None:
    """Ingest shards at the same time; report the progress out of `images`.

    At most one shard more than there are processes is taken from `shards` at a time.

    Raises:
      ComponentError: decode processes keep dying.
      OSError: this machine is in trouble, e.g. the disk is full.
    """
    positions: dict[str, int] = {}
    parts: dict[Future[str], str] = {}
    waiting = iter(shards)
    while True:
        # One more than there are processes, so that no process waits for its next shard.
        for shard in islice(waiting, pool.processes + 1 - len(parts)):
            note = partial(positions.__setitem__, shard.part)
            parts[pool.submit(crash_recovery.ingest_shard, job, shard, note)] = shard.part
        if not parts:
            return
        done, _ = wait(parts, _PROGRESS_EVERY_S, FIRST_COMPLETED)
        report_progress(sum(positions.values()), images, "images")
        for future in done:
            write_part(job.manifest_uri, parts.pop(future), future.result())


def _empty(folder: Path) -> None:
    """Remove the content of a folder, but not the folder, which belongs to the caller."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink()
