"""A balanced sample of the training images, and all images of some classes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from contracts.artifacts import features
from contracts.artifacts.image_dataset import CHANNELS, ImageDataset, random_records
from contracts.artifacts.tf_example import parse
from contracts.artifacts.tf_record import read_records, record_at

Array = npt.NDArray[Any]

# Limit of the records that are read, so that the cost does not grow with the data.
_READ_AT_MOST = 3000


@dataclass(frozen=True)
class ProbeSample:
    """A sample of images and their classes.

    `pixels` are uint8 [images, size, size, 3], `classes` int64 [images] into the labels.
    """

    pixels: Array
    classes: Array

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: Array) -> "ProbeSample":
        """Return the images of some rows."""
        return ProbeSample(self.pixels[rows], self.classes[rows])

    def targets(self, count: int) -> Array:
        """Return the classes one-hot, float32 [images, count]."""
        return np.eye(count, dtype=np.float32)[self.classes]


def read_sample(dataset: ImageDataset, most: int, seed: int) -> ProbeSample:
    """Return at most `images` training images, the same number of each class where possible."""
    numbers = np.random.default_rng(seed)
    by_class: dict[int, list[bytes]] = defaultdict(list)
    for path, position in random_records(dataset.files(features.TRAIN), _READ_AT_MOST, numbers):
        record = record_at(path, position)
        values = parse(record, [features.LABEL_INDEX, features.PIXELS])
        by_class[values[features.LABEL_INDEX]].append(values[features.PIXELS])
    each = _share(sorted(map(len, by_class.values())), most)
    some = {label: images[:each] for label, images in sorted(by_class.items())}
    pixels = [image for images in some.values() for image in images]
    classes = np.repeat(list(some), [len(images) for images in some.values()]).astype(np.int64)
    return ProbeSample(_decode(pixels, dataset.size_px), classes)


def _share(sizes: Sequence[int], most: int) -> int:
    """Return the limit for each class; what small classes do not use goes to the others."""
    left = most
    for number, size in enumerate(sizes):
        even = left // (len(sizes) - number)
        if size > even:
            return max(1, even)
        left -= size
    return max(1, *sizes, 1)


def read_images(dataset: ImageDataset, classes: set[int]) -> Iterator[tuple[int, bytes, bytes]]:
    """Give the class, the pixels and the path of every training image of some classes."""
    names = [features.LABEL_INDEX, features.PIXELS, features.PATH]
    for label, pixels, path in _training(dataset, names):
        if label in classes:
            yield label, pixels, path


def _training(dataset: ImageDataset, names: list[str]) -> Iterator[tuple[Any, ...]]:
    for file in dataset.files(features.TRAIN):
        for _, record in read_records(file):
            values = parse(record, names)
            yield tuple(values[name] for name in names)


def _decode(pixels: Sequence[bytes], size_px: int) -> Array:
    flat = np.frombuffer(b"".join(pixels), np.uint8)
    return flat.reshape(-1, size_px, size_px, CHANNELS)
