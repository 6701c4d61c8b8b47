"""Transformed examples -> tensors."""

import tensorflow as tf

from contracts.artifacts import features
from contracts.artifacts.image_dataset import CHANNELS, ImageDataset

READ_BYTES = 8 * 2**20

LABEL = {features.LABEL_INDEX: tf.io.FixedLenFeature([], tf.int64)}
EXAMPLE = LABEL | {features.PIXELS: tf.io.FixedLenFeature([], tf.string)}


def parsed(serialised: tf.Tensor, dataset: ImageDataset) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Return the batch of serialised tf.Examples, string [batch], as `fit` takes it."""
    parsed = tf.io.parse_example(serialised, EXAMPLE)
    flat = tf.io.decode_raw(parsed[features.PIXELS], tf.uint8)
    pixels = tf.reshape(flat, [-1, dataset.size_px, dataset.size_px, CHANNELS])
    targets = tf.one_hot(parsed[features.LABEL_INDEX], len(dataset.labels))
    return {"pixels": pixels, "targets": targets}, targets
