"""A shard of image files -> TFRecords by split, and a manifest row for every file.

Imports neither TensorFlow nor TFX nor Beam: the decode processes run this.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from components.image_example_gen.listing.entries import ImageFile, printable
from components.image_example_gen.reading.file_bytes import Bytes, Quarantined, read_files
from components.image_example_gen.reading.image_file import (
    Extent,
    ReadImage,
    digest_of,
    extent_in,
    image_in,
    read_extent,
)
from components.image_example_gen.shards import FileShard
from components.image_example_gen.splitting.splits import SplitPlan
from contracts.artifacts import features
from contracts.artifacts.example_shards import DIGEST_LENGTH, shard_path
from contracts.artifacts.manifest.file_row import (
    INGESTED,
    QUARANTINED,
    FileRow,
    row_writer,
    rows_path,
)
from contracts.artifacts.tf_example import serialise
from contracts.artifacts.tf_record import record_writer
from contracts.images.isolation.worker import PositionReport
from contracts.images.reading import ImageReading
from contracts.system.atomic_files import write_whole
from contracts.system.storage.remote_path import RemotePath, Root

_FILES_A_STEP = 64
_BYTES_A_STEP = 4 << 20


@dataclass(frozen=True)
class IngestionJob:
    """The parameters of an ingestion that are the same for all shards."""

    root: Root
    examples_uri: str
    manifest_uri: str
    split_plan: SplitPlan
    reading: ImageReading


def ingest(
    job: IngestionJob, shard: FileShard, deadly: Mapping[int, Quarantined], report: PositionReport
) -> str:
    """Write the examples and the manifest rows of a shard; return the suffix of their file names.

    The suffix is a digest of the rows and of the checksums of the examples: the same name means
    the same bytes (`contracts.artifacts.derived_shards` relies on it). The parent process makes a
    table of the rows (`manifest.rows.write_part`). Files that cannot be read are quarantined.

    Args:
      job: the parameters of the ingestion.
      shard: the files.
      deadly: the reasons of the files that are known to end the decode process, by position.
      report: is called with the position of each file before it is decoded, in order; before a
        file is read, with that of the first file of its step.

    Raises:
      OSError: this machine is in trouble, e.g. the disk is full.
    """
    number = shard.number
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(record_writer(shard_path(job.examples_uri, split, number)))
            for split in features.SPLITS
        }
        rows = stack.enter_context(row_writer(rows_path(job.manifest_uri, shard.part)))
        content = hashlib.sha256()
        for file, read in _read(job, shard, deadly, report):
            if isinstance(read, Quarantined):
                row = _quarantined_row(file, read)
            else:
                split = job.split_plan.split_of(file, read.sha256)
                content.update(writers[split].write(_example(file, read)))
                row = _ingested_row(file, split, read)
            rows.add(row)
            content.update(repr(row).encode())
        suffix = f"-{content.hexdigest()[:DIGEST_LENGTH]}"
        for writer in writers.values():
            writer.partial.name += suffix
    return suffix


def _read(
    job: IngestionJob, shard: FileShard, deadly: Mapping[int, Quarantined], report: PositionReport
) -> Iterator[tuple[ImageFile, ReadImage | Quarantined]]:
    """Give every file with its image, or with the reason of its quarantine.

    Reading and decoding are each done for all files of a step before the next step: one file after
    the other takes a third longer, since the processor's caches lose what each part needs.
    """
    for first, raws in _read_steps(job, shard, deadly, report):
        images = []
        for position, raw in enumerate(raws, first):
            report(position)
            images.append(image_in(raw, job.reading))
        yield from zip(shard.files[first : first + len(images)], images, strict=True)


def _read_steps(
    job: IngestionJob, shard: FileShard, deadly: Mapping[int, Quarantined], report: PositionReport
) -> Iterator[tuple[int, list[Bytes]]]:
    """Give the bytes of the files of each step, and the position of the first of these files."""
    files = [deadly.get(position, file) for position, file in enumerate(shard.files)]
    raws = read_files(job.root, files, job.reading, shard.sizes)
    first = 0
    while first < len(files):
        step: list[Bytes] = []
        size = 0
        while first + len(step) < len(files) and len(step) < _FILES_A_STEP and size < _BYTES_A_STEP:
            report(first)
            raw = next(raws)
            step.append(raw)
            size += 0 if isinstance(raw, Quarantined) else len(raw)
        yield first, step
        first += len(step)


def read_digests(
    root: Root,
    files: Sequence[ImageFile],
    reading: ImageReading,
    decode: bool,
    report: PositionReport,
) -> list[str | None]:
    """Return the SHA-256 of each file as lower-case hex, None if it would be quarantined.

    Without `decode` only files that cannot be opened are None. `report` is called with the
    position of each file before it is read.
    """
    raws = read_files(root, files, reading)
    digests = []
    for position in range(len(files)):
        report(position)
        digests.append(digest_of(next(raws), reading, decode))
    return digests


def read_extents(
    root: Root, files: Sequence[ImageFile], reading: ImageReading, report: PositionReport
) -> list[Extent | None]:
    """Return the result of `image_file.extent_in` for each file.

    `report` is called with the position of each file before it is read.
    """
    extents = []
    if isinstance(root, RemotePath):
        raws = read_files(root, files, reading)
        for position in range(len(files)):
            report(position)
            extents.append(extent_in(next(raws), reading))
    else:
        for position, file in enumerate(files):
            report(position)
            extents.append(read_extent(root, file, reading))
    return extents


def write_labels(examples_uri: str, labels: Sequence[str]) -> None:
    """Write the class names, in index order, into the root of the examples."""
    path = Path(examples_uri, features.LABELS_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(labels, ensure_ascii=False))


def _example(file: ImageFile, read: ReadImage) -> bytes:
    """Return the serialised tf.Example of an image; `artifacts.features` defines the features."""
    image = read.image
    return serialise(
        {
            features.ENCODED: image.encoded,
            features.LABEL: file.label.encode(),
            features.PATH: printable(file.path).encode(),
            features.SHA256: read.sha256.encode(),
            features.WIDTH: image.width,
            features.HEIGHT: image.height,
            features.FILE_BYTES: read.file_bytes,
            features.FORMAT: image.source_format.encode(),
            features.CHANNELS: image.source_channels,
            features.ASPECT: image.width / image.height,
            features.BRIGHTNESS: image.brightness_mean,
            features.CONTRAST: image.brightness_std,
        }
    )


def _ingested_row(file: ImageFile, split: str, read: ReadImage) -> FileRow:
    image = read.image
    return FileRow(
        *(printable(file.path), file.label, split, file.group, INGESTED, None, image.note),
        *(read.sha256, image.width, image.height, read.file_bytes, image.source_format),
    )


def _quarantined_row(file: ImageFile, fault: Quarantined) -> FileRow:
    return FileRow(
        path=printable(file.path),
        label=file.label,
        split=None,
        group=file.group,
        status=QUARANTINED,
        reason=fault.reason,
        detail=printable(fault.detail),
        sha256=fault.sha256,
    )
