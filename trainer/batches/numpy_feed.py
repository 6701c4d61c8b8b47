"""Batches by NumPy alone, for backends without TensorFlow."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from contracts.artifacts import features
from contracts.artifacts.image_dataset import CHANNELS, ImageDataset
from contracts.artifacts.tf_example import parse
from contracts.artifacts.tf_record import record_at, record_positions
from trainer.array_types import IntArray
from trainer.batches.in_memory import READ_EXAMPLES, InMemoryExamples, fits_in_memory, load_examples
from trainer.batches.order import Order
from trainer.batches.sampling import BatchChange, Position, Sampling


def training_batches(
    dataset: ImageDataset,
    sampling: Sampling,
    position: Position,
    steps: int,
    change: BatchChange | None = None,
) -> "_TrainingBatches":
    """See `trainer.batches.training_batches`."""
    batches = _TrainingBatches(dataset, sampling, position, steps)
    batches.change = change
    return batches


def evaluation_batches(dataset: ImageDataset, split: str, batch_size: int) -> "_EvaluationBatches":
    """See `trainer.batches.evaluation_batches`."""
    return _EvaluationBatches(dataset, split, batch_size)


@dataclass(frozen=True)
class _FiledExamples:
    """Examples of a split by their numbers, each read when it is needed."""

    dataset: ImageDataset
    files: tuple[Path, ...]
    file_numbers: IntArray  # int32 [examples]
    positions: IntArray  # int64 [examples], bytes

    @classmethod
    def of(cls, dataset: ImageDataset, split: str) -> "_FiledExamples":
        files = tuple(dataset.files(split))
        found = [np.fromiter(record_positions(path), np.int64) for path in files]
        numbers = np.repeat(np.arange(len(files), dtype=np.int32), [len(one) for one in found])
        positions = np.concatenate(found) if found else np.zeros(0, np.int64)
        return cls(dataset, files, numbers, positions)

    @property
    def labels(self) -> IntArray:
        """Return the label index of each: int64 [examples]; all are read."""
        name = features.LABEL_INDEX
        return np.array([self._parsed(n, name)[name] for n in range(len(self.positions))])

    def batch(self, numbers: IntArray) -> Any:
        """Return the examples with these numbers as `fit` takes them."""
        shape = (len(numbers), self.dataset.size_px, self.dataset.size_px, CHANNELS)
        pixels = np.empty(shape, np.uint8)
        targets = np.zeros((len(numbers), len(self.dataset.labels)), np.float32)
        for row, number in enumerate(numbers):
            values = self._parsed(number, features.PIXELS, features.LABEL_INDEX)
            pixels[row] = np.frombuffer(values[features.PIXELS], np.uint8).reshape(shape[1:])
            targets[row, values[features.LABEL_INDEX]] = 1
        return {"pixels": pixels, "targets": targets}, targets

    def _parsed(self, number: int, *names: str) -> dict[str, Any]:
        path = self.files[self.file_numbers[number]]
        return parse(record_at(path, int(self.positions[number])), names)


class _TrainingBatches(keras.utils.PyDataset):
    def __init__(
        self, dataset: ImageDataset, sampling: Sampling, position: Position, steps: int
    ) -> None:
        super().__init__(workers=1)
        self.change: BatchChange | None = None
        self._position = position
        self._steps = steps
        self._batch_size = sampling.batch_size
        self._examples: InMemoryExamples | _FiledExamples
        if fits_in_memory(dataset):
            batches = evaluation_batches(dataset, features.TRAIN, READ_EXAMPLES)
            self._examples = load_examples(dataset, map(batches.__getitem__, range(len(batches))))
        else:
            self._examples = _FiledExamples.of(dataset, features.TRAIN)
        labels = self._examples.labels if sampling.balanced else None
        self._order = Order(dataset, sampling, labels)

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Any:
        """Return the batch of a step, counted from the position."""
        step += self._position.step
        numbers = self._order.numbers(step * self._batch_size, self._batch_size)
        inputs, labels = self._examples.batch(numbers)
        if self.change is not None:
            changed = self.change(inputs["pixels"], labels, step)
            inputs = dict(zip(("pixels", "targets"), changed, strict=True))
        return inputs, labels


class _EvaluationBatches(keras.utils.PyDataset):
    def __init__(self, dataset: ImageDataset, split: str, batch_size: int) -> None:
        super().__init__(workers=1)
        self._batch_size = batch_size
        self._examples = _FiledExamples.of(dataset, split)
        self._count = len(self._examples.positions)

    def __len__(self) -> int:
        return math.ceil(self._count / self._batch_size)

    def __getitem__(self, step: int) -> Any:
        """Return the batch of a step."""
        start = step * self._batch_size
        return self._examples.batch(np.arange(start, min(start + self._batch_size, self._count)))
