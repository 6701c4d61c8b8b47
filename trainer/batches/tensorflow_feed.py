"""Batches by tf.data, in C++ beside the training."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from contracts import features
from trainer.batches.sampling import Change, Position, Sampling, examples_a_class, pass_length
from trainer.data import CHANNELS, ImageDataset

# Bytes of pixels that one shuffle buffer may hold.
SHUFFLE_BYTES = 64 * 2**20
READ_BYTES = 8 * 2**20

LABEL = {features.LABEL_INDEX: tf.io.FixedLenFeature([], tf.int64)}
EXAMPLE = LABEL | {features.PIXELS: tf.io.FixedLenFeature([], tf.string)}


def training_batches(
    dataset: ImageDataset,
    sampling: Sampling,
    position: Position,
    steps: int,
    change: Change | None = None,
) -> tf.data.Dataset:
    """See `trainer.batches.training_batches`."""
    size = sampling.batch_size
    length = pass_length(dataset, sampling)

    def from_example(first: tf.Tensor) -> tf.data.Dataset:
        passes = tf.data.Dataset.range(first // length, tf.int64.max)
        records = passes.flat_map(lambda number: _one_pass(dataset, sampling, number))
        return records.skip(first % length).take(steps * size)

    # Python is asked for the position each time that an epoch begins.
    first = tf.data.Dataset.from_generator(
        lambda: iter([position.step * size]), output_signature=tf.TensorSpec([], tf.int64)
    )
    batched = first.flat_map(from_example).batch(
        size, drop_remainder=True, num_parallel_calls=tf.data.AUTOTUNE
    )
    batches = _parsed(batched, dataset)
    if change is not None:
        batches = _changed(batches, lambda *batch: change(*batch[:2], position.step + batch[2]))
    return batches.apply(tf.data.experimental.assert_cardinality(steps))


def evaluation_batches(dataset: ImageDataset, split: str, batch_size: int) -> tf.data.Dataset:
    """See `trainer.batches.evaluation_batches`."""
    files = [str(path) for path in dataset.files(split)]
    records = tf.data.TFRecordDataset(files, buffer_size=READ_BYTES)
    steps = -(-dataset.examples[split] // batch_size)
    batched = records.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE)
    return _parsed(batched, dataset).apply(tf.data.experimental.assert_cardinality(steps))


def _one_pass(dataset: ImageDataset, sampling: Sampling, number: tf.Tensor) -> tf.data.Dataset:
    # In the graph of this function alone; where it is 0, TensorFlow refuses a tensor beside it.
    tf.random.set_seed(sampling.seed + 1)
    seed = sampling.seed + number
    files = [str(path) for path in dataset.files(features.TRAIN)]
    ordered = tf.data.Dataset.from_tensor_slices(files).shuffle(len(files), seed=seed)
    records = tf.data.TFRecordDataset(ordered, buffer_size=READ_BYTES)
    if sampling.balanced:
        records = _balanced(records, dataset.label_counts[features.TRAIN], number)
    image_bytes = dataset.size_px**2 * CHANNELS
    window = min(dataset.examples[features.TRAIN], SHUFFLE_BYTES // image_bytes)
    return records.shuffle(max(sampling.batch_size, window), seed=seed)


def _balanced(
    records: tf.data.Dataset, counts: Sequence[int], number: tf.Tensor
) -> tf.data.Dataset:
    """Repeat the examples of small classes and leave out some of large ones.

    The j-th example of a class with n of them, of which t are wanted, comes
    (j + 1) * t // n - j * t // n times: t in all. Each pass counts j from the next one on, so
    that what one leaves out comes in another.
    """
    wanted = tf.constant(examples_a_class(counts), tf.int64)
    of_class = tf.constant(counts, tf.int64)

    def copies(seen: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
        label = tf.io.parse_single_example(record, LABEL)[features.LABEL_INDEX]
        total = of_class[label]
        rank = (seen[label] + number) % total
        times = (rank + 1) * wanted // total - rank * wanted // total
        return tf.tensor_scatter_nd_add(seen, [[label]], [1]), (record, times)

    counted = records.scan(tf.zeros(len(counts), tf.int64), copies)
    return counted.flat_map(
        lambda record, times: tf.data.Dataset.from_tensors(record).repeat(times)
    )


def _changed(batches: tf.data.Dataset, change: Callable[..., Any]) -> tf.data.Dataset:
    """Return the batches after a function of NumPy arrays and the batch's number, from 0."""

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


def _parsed(batched: tf.data.Dataset, dataset: ImageDataset) -> tf.data.Dataset:
    size_px, classes = dataset.size_px, len(dataset.labels)

    def parse(serialised: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        parsed = tf.io.parse_example(serialised, EXAMPLE)
        flat = tf.io.decode_raw(parsed[features.PIXELS], tf.uint8)
        pixels = tf.reshape(flat, [-1, size_px, size_px, CHANNELS])
        pixels.set_shape([serialised.shape[0], size_px, size_px, CHANNELS])
        targets = tf.one_hot(parsed[features.LABEL_INDEX], classes)
        return {"pixels": pixels, "targets": targets}, targets

    # Several machines take each a part of every batch, not each some of the files.
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    parsed = batched.map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    return parsed.prefetch(tf.data.AUTOTUNE).with_options(options)
