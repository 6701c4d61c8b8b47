"""Batches by tf.data, made in C++ threads while the model trains."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from trainer.array_types import IntArray
from trainer.batches.in_memory import READ_EXAMPLES, fits_in_memory, load_examples
from trainer.batches.order import Order
from trainer.batches.records import READ_BYTES, parsed
from trainer.batches.sampling import BatchChange, Position, Sampling
from trainer.batches.stream import streamed
from trainer.tf_data import without_autotune

# Python gives the numbers of the examples of so many batches at once.
BLOCK_BATCHES = 16


def training_batches(
    dataset: ImageDataset,
    sampling: Sampling,
    position: Position,
    steps: int,
    change: BatchChange | None = None,
) -> tf.data.Dataset:
    """See `trainer.batches.training_batches`."""
    source = _from_memory if fits_in_memory(dataset) else _from_files
    batches = _prefetched(source(dataset, sampling, position, steps))
    if change is not None:
        batches = _changed(
            batches, lambda pixels, targets, step: change(pixels, targets, position.step + step)
        )
    return batches.apply(tf.data.experimental.assert_cardinality(steps))


def evaluation_batches(dataset: ImageDataset, split: str, batch_size: int) -> tf.data.Dataset:
    """See `trainer.batches.evaluation_batches`."""
    files = [str(path) for path in dataset.files(split)]
    records = tf.data.TFRecordDataset(files, buffer_size=READ_BYTES)
    steps = -(-dataset.examples[split] // batch_size)
    batched = records.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE)
    batches = batched.map(lambda some: parsed(some, dataset), num_parallel_calls=tf.data.AUTOTUNE)
    return _prefetched(batches).apply(tf.data.experimental.assert_cardinality(steps))


def _from_memory(
    dataset: ImageDataset, sampling: Sampling, position: Position, steps: int
) -> tf.data.Dataset:
    size, classes = sampling.batch_size, len(dataset.labels)
    batches = evaluation_batches(dataset, features.TRAIN, READ_EXAMPLES)
    examples = load_examples(dataset, batches.as_numpy_iterator())
    order = Order(dataset, sampling, examples.labels)
    # Copies: what is below must not keep `examples` too.
    with tf.device("CPU"):
        pixels, labels = tf.constant(examples.pixels), tf.constant(examples.labels)

    def numbers(block: np.int64) -> IntArray:
        first = position.step + int(block) * BLOCK_BATCHES
        return order.numbers(first * size, BLOCK_BATCHES * size)

    def batch(numbers: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        targets = tf.one_hot(tf.gather(labels, numbers), classes)
        return {"pixels": tf.gather(pixels, numbers), "targets": targets}, targets

    chosen = (
        tf.data.Dataset.range(-(-steps // BLOCK_BATCHES))
        .map(lambda block: _asked(numbers, [block], [BLOCK_BATCHES * size]))
        .rebatch(size, drop_remainder=True)
    )
    return chosen.take(steps).map(batch, num_parallel_calls=tf.data.AUTOTUNE)


def _from_files(
    dataset: ImageDataset, sampling: Sampling, position: Position, steps: int
) -> tf.data.Dataset:
    first = tf.data.Dataset.range(1).map(
        lambda _: _asked(lambda: position.step * sampling.batch_size, [], [])
    )
    return first.flat_map(lambda first: streamed(dataset, sampling, first)).take(steps)


def _asked(
    function: Callable[..., Any], inputs: Sequence[tf.Tensor], shape: Sequence[int]
) -> tf.Tensor:
    """Return integers that Python computes in each epoch, which may begin at any step."""
    found = tf.numpy_function(function, inputs, tf.int64)
    found.set_shape(shape)
    return found


def _changed(batches: tf.data.Dataset, change: Callable[..., Any]) -> tf.data.Dataset:
    """Return batches changed by a function of NumPy arrays and the batch's number, from 0."""

    def changed(number: tf.Tensor, batch: tuple[Any, tf.Tensor]) -> tuple[Any, tf.Tensor]:
        inputs, labels = batch
        pixels, targets = tf.numpy_function(
            change, (inputs["pixels"], inputs["targets"], number), (tf.float32, tf.float32)
        )
        pixels.set_shape(inputs["pixels"].shape)
        targets.set_shape(labels.shape)
        return {"pixels": pixels, "targets": targets}, labels

    # One after the other: a function may keep what it draws random numbers from.
    return batches.enumerate().map(changed).prefetch(tf.data.AUTOTUNE)


def _prefetched(batches: tf.data.Dataset) -> tf.data.Dataset:
    # Each of several machines takes a part of every batch, not some of the files.
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return without_autotune(batches.prefetch(tf.data.AUTOTUNE)).with_options(options)
