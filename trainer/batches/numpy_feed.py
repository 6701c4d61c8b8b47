"""Batches by NumPy alone, for backends that come without TensorFlow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from contracts import features
from contracts.tf_example import parse
from contracts.tf_record import record_at, record_positions
from trainer.batches.sampling import Change, Position, Sampling, examples_a_class, pass_length
from trainer.data import CHANNELS, ImageDataset


def training_batches(
    dataset: ImageDataset,
    sampling: Sampling,
    position: Position,
    steps: int,
    change: Change | None = None,
) -> "_TrainingBatches":
    """See `trainer.batches.training_batches`."""
    batches = _TrainingBatches(dataset, sampling, position, steps)
    batches.change = change
    return batches


def evaluation_batches(dataset: ImageDataset, split: str, batch_size: int) -> "_EvaluationBatches":
    """See `trainer.batches.evaluation_batches`."""
    return _EvaluationBatches(dataset, split, batch_size)


@dataclass(frozen=True)
class _Index:
    """Where each example of a split lies."""

    files: tuple[Path, ...]
    file_numbers: np.ndarray  # int32 [examples]
    positions: np.ndarray  # int64 [examples], bytes

    @classmethod
    def of(cls, dataset: ImageDataset, split: str) -> "_Index":
        files = tuple(dataset.files(split))
        found = [np.fromiter(record_positions(path), np.int64) for path in files]
        numbers = np.repeat(np.arange(len(files), dtype=np.int32), [len(one) for one in found])
        return cls(files, numbers, np.concatenate(found) if found else np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.positions)

    def label(self, number: int) -> int:
        """Return the label's index of one example."""
        return int(parse(self._record(number), [features.LABEL_INDEX])[features.LABEL_INDEX])

    def batch(self, numbers: Sequence[int] | np.ndarray, dataset: ImageDataset) -> Any:
        """Return the examples with these numbers as `fit` takes them."""
        shape = (len(numbers), dataset.size_px, dataset.size_px, CHANNELS)
        pixels = np.empty(shape, np.uint8)
        targets = np.zeros((len(numbers), len(dataset.labels)), np.float32)
        for row, number in enumerate(numbers):
            values = parse(self._record(number), [features.PIXELS, features.LABEL_INDEX])
            pixels[row] = np.frombuffer(values[features.PIXELS], np.uint8).reshape(shape[1:])
            targets[row, values[features.LABEL_INDEX]] = 1
        return {"pixels": pixels, "targets": targets}, targets

    def _record(self, number: int) -> bytes:
        return record_at(self.files[self.file_numbers[number]], int(self.positions[number]))


class _TrainingBatches(keras.utils.PyDataset):
    def __init__(
        self, dataset: ImageDataset, sampling: Sampling, position: Position, steps: int
    ) -> None:
        super().__init__(workers=1)
        self.change: Change | None = None
        self._position = position
        self._steps = steps
        self._dataset = dataset
        self._sampling = sampling
        self._index = _Index.of(dataset, features.TRAIN)
        self._length = pass_length(dataset, sampling)
        self._labels = None
        if sampling.balanced:
            self._labels = np.array([self._index.label(n) for n in range(len(self._index))])
        self._passes: dict[int, np.ndarray] = {}  # the last orders; a batch lies in two at most

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Any:
        """Return the batch of a step, counted from the position."""
        size = self._sampling.batch_size
        start = (self._position.step + step) * size
        numbers = [self._number(place) for place in range(start, start + size)]
        inputs, labels = self._index.batch(numbers, self._dataset)
        if self.change is not None:
            changed = self.change(inputs["pixels"], labels, self._position.step + step)
            inputs = dict(zip(("pixels", "targets"), changed, strict=True))
        return inputs, labels

    def _number(self, place: int) -> int:
        number, rank = divmod(place, self._length)
        if number not in self._passes:
            self._passes = {n: order for n, order in self._passes.items() if n == number - 1}
            self._passes[number] = self._order(number)
        return int(self._passes[number][rank])

    def _order(self, number: int) -> np.ndarray:
        """Return the numbers of the examples of a pass, in order."""
        random = np.random.default_rng([self._sampling.seed, number])
        if self._labels is None:
            return random.permutation(len(self._index))
        wanted = examples_a_class(self._dataset.label_counts[features.TRAIN])
        chosen = []
        for label in np.unique(self._labels):
            members = random.permutation(np.flatnonzero(self._labels == label))
            chosen.append(np.resize(members, wanted))
        return random.permutation(np.concatenate(chosen))


class _EvaluationBatches(keras.utils.PyDataset):
    def __init__(self, dataset: ImageDataset, split: str, batch_size: int) -> None:
        super().__init__(workers=1)
        self._dataset = dataset
        self._batch_size = batch_size
        self._index = _Index.of(dataset, split)

    def __len__(self) -> int:
        return math.ceil(len(self._index) / self._batch_size)

    def __getitem__(self, step: int) -> Any:
        """Return the batch of a step."""
        start = step * self._batch_size
        numbers = range(start, min(start + self._batch_size, len(self._index)))
        return self._index.batch(numbers, self._dataset)
