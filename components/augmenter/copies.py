"""Augmented copies of the images of small classes, as further training examples."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from components.augmenter.batch_augmenter import AugmentBatch
from components.augmenter.probe_sample import read_images
from contracts.artifacts import features
from contracts.artifacts.example_shards import split_folder
from contracts.artifacts.image_dataset import CHANNELS, ImageDataset
from contracts.artifacts.tf_example import serialise
from contracts.artifacts.tf_record import record_writer
from contracts.system.progress import report_progress

# Images that are augmented at a time, and bytes of pixels a shard.
_BATCH: Final = 64
_SHARD_BYTES: Final = 128 * 2**20


def write_copies(
    dataset: ImageDataset, uri: str, least: int, change: AugmentBatch | None
) -> dict[str, int]:
    """Fill small classes up to `least` training images; return how many copies each class got.

    The copies are stored as raw pixels. Each has the path of its original and is marked as
    augmented. Every split has a folder, as TFX's union expects, but only that of the training
    split holds examples. A class without an image gets no copy.

    Args:
      dataset: the transformed examples.
      uri: where the copies go.
      least: training images that each class is filled up to; 0: none are made.
      change: makes the copies; None where none are made.
    """
    for split in dataset.examples:
        split_folder(uri, split).mkdir(parents=True, exist_ok=True)
    missing: dict[int, int] = {}
    if least and change is not None:
        images = dataset.label_counts[features.TRAIN]
        missing = {n: least - count for n, count in enumerate(images) if 0 < count < least}
        _write(dataset, uri, _make_copies(dataset, missing, change), sum(missing.values()))
    classes = range(len(dataset.labels))
    counts = dict.fromkeys(dataset.label_counts, (0,) * len(classes))
    counts[features.TRAIN] = tuple(missing.get(label, 0) for label in classes)
    replace(dataset, uri=uri, label_counts=counts, is_augmented=True).write()
    return {dataset.labels[label]: count for label, count in sorted(missing.items())}


def _make_copies(
    dataset: ImageDataset, missing: Mapping[int, int], change: AugmentBatch
) -> Iterator[tuple[int, bytes, bytes]]:
    """Give class, pixels and path of each copy."""
    shape = (-1, dataset.size_px, dataset.size_px, CHANNELS)
    one_hot = np.eye(len(dataset.labels), dtype=np.float32)
    originals = _read_originals(dataset, missing)
    while some := list(itertools.islice(originals, _BATCH)):
        flat = np.frombuffer(b"".join(pixels for _, pixels, _ in some), np.uint8)
        changed, _ = change(flat.reshape(shape), one_hot[[label for label, *_ in some]])
        whole = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
        for (label, _, path), image in zip(some, whole, strict=True):
            yield label, image.tobytes(), path


def _read_originals(
    dataset: ImageDataset, missing: Mapping[int, int]
) -> Iterator[tuple[int, bytes, bytes]]:
    """Give the original of each copy; the copies of a class are spread evenly over its images.

    Images are read one by one, since a small class of a large data set may hold many.
    """
    counts, seen = dataset.label_counts[features.TRAIN], Counter[int]()
    for label, pixels, path in read_images(dataset, set(missing)):
        each, one_more = divmod(missing[label], counts[label])
        yield from itertools.repeat((label, pixels, path), each + (seen[label] < one_more))
        seen[label] += 1


def _write(
    dataset: ImageDataset, uri: str, copies: Iterator[tuple[int, bytes, bytes]], count: int
) -> None:
    each = max(1, _SHARD_BYTES // (dataset.size_px**2 * CHANNELS))
    shards = -(-count // each)
    written = 0
    for shard in range(shards):
        name = f"data_tfrecord-{shard:05}-of-{shards:05}"
        with record_writer(split_folder(uri, features.TRAIN) / name) as writer:
            for _ in range(min(each, count - written)):
                writer.write(_example(*next(copies)))
                written += 1
        report_progress(written, count, "copies")


def _example(label: int, pixels: bytes, path: bytes) -> bytes:
    values: dict[str, Any] = {
        features.PIXELS: pixels,
        features.LABEL_INDEX: label,
        features.SHA256: b"",
        features.PATH: path,
        features.AUGMENTED: 1,
    }
    return serialise(values)
