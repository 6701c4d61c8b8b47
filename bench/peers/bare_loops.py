"""The work of single components in a bare loop or one call of Keras.

Prints the seconds of each as JSON, for the artifacts of a run; "our_export" is imgpipe's.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.trainer.config import TrainerConfig
from trainer.batches.tensorflow_feed import evaluation_batches
from trainer.export.saved_model import export
from trainer.models import build_model
from trainer.preprocessing import decode_and_resize


def transform(examples: Path, dataset: ImageDataset, target: Path) -> float:
    """Return the seconds of decoding, resizing and writing all images."""
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


def evaluate(network: keras.Model, dataset: ImageDataset, config: TrainerConfig) -> float:
    """Return the seconds of `model.evaluate` on the test split."""
    network.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    assert isinstance(config.batch_size, int), "the benchmark's recipe sets a number, not `auto`"
    started_s = time.monotonic()
    batches = evaluation_batches(dataset, features.TEST, config.batch_size)
    network.evaluate(batches.map(lambda inputs, targets: (inputs["pixels"], targets)), verbose=0)
    return time.monotonic() - started_s


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    started_s = time.monotonic()
    work()
    return time.monotonic() - started_s


def main(examples: Path, transformed: str, scratch: Path, trainer: str) -> None:
    """Measure all of them; `scratch`, which is emptied first, takes the files."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    dataset = ImageDataset.read(transformed)
    config = TrainerConfig.model_validate_json(trainer)
    network = build_model(config, dataset.size_px, len(dataset.labels))
    seconds = {
        "transform": transform(examples, dataset, scratch / "pixels.tfrecord"),
        "evaluate": evaluate(network, dataset, config),
        "our_export": seconds_of(lambda: export(network, dataset, str(scratch / "ours"))),
        "export": seconds_of(lambda: network.export(scratch / "keras", verbose=False)),
    }
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4])
