"""A training split that fits in memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from contracts.artifacts import features
from contracts.artifacts.image_dataset import CHANNELS, ImageDataset
from trainer.array_types import IntArray, PixelArray

# Of pixels. A constant: the order of the examples must not follow from the machine.
IN_MEMORY_BYTES = 256 * 2**20
READ_EXAMPLES = 256  # at a time


@dataclass(frozen=True)
class InMemoryExamples:
    """Examples by their numbers, in the order of the files."""

    pixels: PixelArray  # uint8 [examples, size, size, 3]
    labels: IntArray  # int64 [examples], indices
    classes: int

    def batch(self, numbers: IntArray) -> Any:
        """Return the examples with these numbers as `fit` takes them."""
        targets = np.eye(self.classes, dtype=np.float32)[self.labels[numbers]]
        return {"pixels": self.pixels[numbers], "targets": targets}, targets


def fits_in_memory(dataset: ImageDataset) -> bool:
    """Return whether the training split is small enough."""
    return dataset.examples[features.TRAIN] * dataset.image_bytes <= IN_MEMORY_BYTES


def load_examples(dataset: ImageDataset, batches: Iterable[Any]) -> InMemoryExamples:
    """Return the examples of batches of the training split, which `evaluation_batches` gives.

    Raises:
      ValueError: they are not as many as the data set says.
    """
    count = dataset.examples[features.TRAIN]
    pixels = np.empty((count, dataset.size_px, dataset.size_px, CHANNELS), np.uint8)
    labels = np.empty(count, np.int64)
    read = 0
    for inputs, targets in batches:
        rows = slice(read, read + len(targets))
        pixels[rows], labels[rows] = inputs["pixels"], targets.argmax(1)
        read += len(targets)
    if read != count:
        raise ValueError(f"{dataset.uri}: expected {count:,} training examples, found {read:,}.")
    return InMemoryExamples(pixels, labels, len(dataset.labels))
