"""Training examples that do not fit in memory, shuffled in a window while they are read."""

from collections.abc import Sequence

import tensorflow as tf

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from trainer.batches.records import LABEL, READ_BYTES, parsed
from trainer.batches.sampling import Sampling, examples_a_class, pass_length

# Bytes of pixels that one shuffle buffer may hold.
SHUFFLE_BYTES = 64 * 2**20
# With small images, tf.data spends more time on each element than on its bytes. So records move in
# pieces, which are shuffled, and the examples of each block are shuffled again.
PIECE_EXAMPLES = 16
BLOCK_BATCHES = 8
BLOCK_BYTES = 16 * 2**20  # of pixels; where a batch is more, it is a block


def streamed(dataset: ImageDataset, sampling: Sampling, first: tf.Tensor) -> tf.data.Dataset:
    """Return endless batches from the example at place `first`, int64 []."""
    size = sampling.batch_size
    length = pass_length(dataset, sampling)
    batches_a_block = min(BLOCK_BATCHES, BLOCK_BYTES // (size * dataset.image_bytes))
    block = max(1, batches_a_block) * size
    passes = tf.data.Dataset.range(first // length, tf.int64.max)
    blocks = passes.flat_map(lambda number: _one_pass(dataset, sampling, number, block))
    gone = first % length
    shuffled = (
        blocks.skip(gone // block)
        .enumerate()
        .map(
            lambda index, one: _shuffled(one, tf.where(index == 0, gone % block, 0), dataset),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    )
    return shuffled.rebatch(size, drop_remainder=True)


def _one_pass(
    dataset: ImageDataset, sampling: Sampling, number: tf.Tensor, block: int
) -> tf.data.Dataset:
    """Return blocks of records, each with the seed int64 [2] of its own order."""
    # The seed of this function's graph only. With 0, TensorFlow refuses a tensor as an operation's
    # seed.
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


def _shuffled(
    block: tuple[tf.Tensor, tf.Tensor], skipped: tf.Tensor, dataset: ImageDataset
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    records, seed = block
    order = tf.random.experimental.stateless_shuffle(tf.range(tf.size(records)), seed)
    return parsed(tf.gather(records, order[skipped:]), dataset)
