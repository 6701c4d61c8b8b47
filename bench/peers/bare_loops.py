"""The floors of ImageTransform and ModelEvaluator: the same work in one bare loop each.

Prints {"transform": seconds, "evaluate": seconds} for the artifacts of a run.
"""

import json
import sys
import time
from pathlib import Path

import tensorflow as tf

from contracts import features
from contracts.config import TrainerConfig
from trainer.data import ImageDataset, batches
from trainer.models import build_model
from trainer.preprocessing import decode_and_resize


def transform(examples: Path, dataset: ImageDataset, target: Path) -> float:
    """Return the seconds that decoding, resizing and writing all images takes."""
    spec = {features.ENCODED: tf.io.FixedLenFeature([], tf.string)}

    def decode(serialised: tf.Tensor) -> tf.Tensor:
        parsed = tf.io.parse_single_example(serialised, spec)
        return decode_and_resize(parsed[features.ENCODED], dataset.preprocessing)

    started_s = time.monotonic()
    shards = sorted(str(path) for path in examples.glob("Split-*/*"))
    pixels = tf.data.TFRecordDataset(shards).map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    with tf.io.TFRecordWriter(str(target)) as writer:
        for image in pixels.prefetch(tf.data.AUTOTUNE).as_numpy_iterator():
            writer.write(image.tobytes())
    return time.monotonic() - started_s


def evaluate(dataset: ImageDataset, config: TrainerConfig) -> float:
    """Return the seconds that `model.evaluate` takes for the test split."""
    network = build_model(config, dataset.size_px, len(dataset.labels))
    network.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    started_s = time.monotonic()
    network.evaluate(batches(dataset, features.TEST, config.batch_size), verbose=0)
    return time.monotonic() - started_s


if __name__ == "__main__":
    examples_folder, transformed_folder, target_file, trainer = sys.argv[1:]
    transformed = ImageDataset.read(transformed_folder)
    seconds = {
        "transform": transform(Path(examples_folder), transformed, Path(target_file)),
        "evaluate": evaluate(transformed, TrainerConfig.model_validate_json(trainer)),
    }
    print(json.dumps(seconds))
