"""Transformed examples -> batches for `fit`, on whichever backend Keras runs."""

import keras

from trainer.batches.sampling import Change, Position, Sampling
from trainer.data import ImageDataset

# What `fit` takes: ({"pixels": uint8 [batch, size, size, 3], "targets": float32 [batch, classes]
# one-hot}, the targets once more), as trainer.training_model expects it.
Batches = object


def training_batches(
    dataset: ImageDataset,
    sampling: Sampling,
    position: Position,
    steps: int,
    change: Change | None = None,
) -> Batches:
    """Return so many batches of the training split, from where the position stands at the time.

    The split is shuffled anew in every pass over it. Every batch is full; where a pass ends
    inside one the next pass goes on. The order follows from the seed and the place in it from
    the step, so that a training can go on where another one stopped.

    `change` is what happens to each batch on the CPU, if anything does; labels for metrics stay.
    """
    return _feed().training_batches(dataset, sampling, position, steps, change)


def evaluation_batches(dataset: ImageDataset, split: str, batch_size: int) -> Batches:
    """Return every image of a split once, in the order of the files; the last batch is smaller."""
    return _feed().evaluation_batches(dataset, split, batch_size)


def _feed():
    """Return the module that suits the backend: without TensorFlow there is no tf.data."""
    if keras.backend.backend() == "tensorflow":
        from trainer.batches import tensorflow_feed

        return tensorflow_feed
    from trainer.batches import numpy_feed

    return numpy_feed
