"""Transformed examples -> batches for `fit`, on whichever backend Keras runs."""

from collections.abc import Iterator
from typing import Any, Protocol

import keras
import numpy as np

from contracts.artifacts.image_dataset import ImageDataset
from contracts.environment.keras_environment import TENSORFLOW
from trainer.array_types import FloatArray
from trainer.batches.sampling import BatchChange, Position, Sampling

# What `fit` takes: ({"pixels": uint8 [batch, size, size, 3], "targets": float32 [batch, classes]
# one-hot}, the targets once more), as trainer.training.training_model expects it.
Batches = object


def training_batches(
    dataset: ImageDataset,
    sampling: Sampling,
    position: Position,
    steps: int,
    change: BatchChange | None = None,
) -> Batches:
    """Return so many batches of the training split, beginning at the position.

    The split is shuffled anew in every pass over it. Every batch is full: where a pass ends inside
    one, the next pass fills it. The seed gives the order, and the step gives the place in it, so a
    training can resume where another one stopped. `change` is called with NumPy arrays.
    """
    return _feed().training_batches(dataset, sampling, position, steps, change)


def evaluation_batches(dataset: ImageDataset, split: str, batch_size: int) -> Batches:
    """Return every image of a split once, in the order of the files; the last batch is smaller."""
    return _feed().evaluation_batches(dataset, split, batch_size)


def evaluation_arrays(
    dataset: ImageDataset, split: str, batch_size: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Give the same as NumPy arrays: (pixels, targets), both float32."""
    batches: Any = evaluation_batches(dataset, split, batch_size)
    is_indexed = isinstance(batches, keras.utils.PyDataset)
    numbered = map(batches.__getitem__, range(len(batches))) if is_indexed else batches
    for inputs, targets in numbered:
        yield np.asarray(inputs["pixels"], np.float32), np.asarray(targets)


class _Feed(Protocol):
    def training_batches(
        self,
        dataset: ImageDataset,
        sampling: Sampling,
        position: Position,
        steps: int,
        change: BatchChange | None = None,
    ) -> Batches: ...

    def evaluation_batches(self, dataset: ImageDataset, split: str, batch_size: int) -> Batches: ...


def _feed() -> _Feed:
    """Return the module that suits the backend: without TensorFlow there is no tf.data."""
    if keras.backend.backend() == TENSORFLOW:
        from trainer.batches import tensorflow_feed

        return tensorflow_feed
    from trainer.batches import numpy_feed

    return numpy_feed
