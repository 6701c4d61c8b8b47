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
# Small images cost tf.data more for every element that passes a step of it than for their bytes:
# records pass in pieces, which are shuffled among themselves, and examples again in each block.
PIECE_EXAMPLES = 16
BLOCK_BATCHES = 8
BLOCK_BYTES = 16 * 2**20  # of pixels; where a batch is more, it is a block

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
    batches_a_block = min(BLOCK_BATCHES, BLOCK_BYTES // (size * dataset.image_bytes))
    block = max(1, batches_a_block) * size

    def from_example(first: tf.Tensor) -> tf.data.Dataset:
        passes = tf.data.Dataset.range(first // length, tf.int64.max)
        blocks = passes.flat_map(lambda number: _one_pass(dataset, sampling, number, block))
        gone = first % length
        return (
            blocks.skip(gone // block)
            .enumerate()
            .map(
                lambda index, one: _shuffled(
                    *one, dataset, skipped=tf.where(index == 0, gone % block, 0)
                ),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
        )

    # Python is asked for the position each time that an epoch begins.
    first = tf.data.Dataset.from_generator(
        lambda: iter([position.step * size]), output_signature=tf.TensorSpec([], tf.int64)
    )
    blocks = first.flat_map(from_example)
    batches = _prefetched(blocks.rebatch(size, drop_remainder=True).take(steps))
    if change is not None:
        batches = _changed(batches, lambda *batch: change(*batch[:2], position.step + batch[2]))
    return batches.apply(tf.data.experimental.assert_cardinality(steps))


def evaluation_batches(dataset: ImageDataset, split: str, batch_size: int) -> tf.data.Dataset:
    """See `trainer.batches.evaluation_batches`."""
    files = [str(path) for path in dataset.files(split)]
    records = tf.data.TFRecordDataset(files, buffer_size=READ_BYTES)
    steps = -(-dataset.examples[split] // batch_size)
    batched = records.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE)
    batches = batched.map(lambda some: _parsed(some, dataset), num_parallel_calls=tf.data.AUTOTUNE)
    return _prefetched(batches).apply(tf.data.experimental.assert_cardinality(steps))


def _one_pass(
    dataset: ImageDataset, sampling: Sampling, number: tf.Tensor, block: int
) -> tf.data.Dataset:
    """Return blocks of records, each with the seed int64 [2] of its own order."""
    # In the graph of this function alone; where it is 0, TensorFlow refuses a tensor beside it.
    tf.random.set_seed(sampling.seed + 1)
    seed = sampling.seed + number
    files = [str(path) for path in dataset.files(features.TRAIN)]
    ordered = tf.data.Dataset.from_tensor_slices(files).shuffle(len(files), seed=seed)
    records = tf.data.TFRecordDataset(ordered, buffer_size=READ_BYTES)
    piece = PIECE_EXAMPLES
    if sampling.balanced:
        records = _balanced(records, dataset.label_counts[features.TRAIN], number)
        piece = 1  # copies of one example follow one another
    window = min(dataset.examples[features.TRAIN], SHUFFLE_BYTES // dataset.image_bytes)
    pieces = max(sampling.batch_size, window) // piece
    blocks = records.batch(piece).shuffle(max(1, pieces), seed=seed).rebatch(block)
    return blocks.enumerate().map(lambda index, records: (records, tf.stack([seed, index])))


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


def _shuffled(
    records: tf.Tensor, seed: tf.Tensor, dataset: ImageDataset, skipped: tf.Tensor
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    order = tf.random.experimental.stateless_shuffle(tf.range(tf.size(records)), seed)
    return _parsed(tf.gather(records, order[skipped:]), dataset)


def _parsed(serialised: tf.Tensor, dataset: ImageDataset) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    parsed = tf.io.parse_example(serialised, EXAMPLE)
    flat = tf.io.decode_raw(parsed[features.PIXELS], tf.uint8)
    pixels = tf.reshape(flat, [-1, dataset.size_px, dataset.size_px, CHANNELS])
    targets = tf.one_hot(parsed[features.LABEL_INDEX], len(dataset.labels))
    return {"pixels": pixels, "targets": targets}, targets


def _prefetched(batches: tf.data.Dataset) -> tf.data.Dataset:
    # Several machines take each a part of every batch, not each some of the files.
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return batches.prefetch(tf.data.AUTOTUNE).with_options(options)
