"""An ingested data set, written by TensorFlow itself so that no writer of ours is trusted here."""

import json
from pathlib import Path

import numpy as np
import pytest

from contracts.artifacts import features
from tests.conftest import encoded

LABELS = ("bright", "dark")
COUNTS = {"train": 12, "validation": 4, "test": 10}


def example(**values: bytes) -> bytes:
    """Return a tf.Example of bytes features, serialised."""
    import tensorflow as tf

    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def write_examples(root: Path, records: dict[str, list[bytes]]) -> None:
    """Write each split's records in two shards, and the list of labels."""
    import tensorflow as tf

    for split, serialised in records.items():
        folder = root / f"Split-{split}"
        folder.mkdir(parents=True)
        for shard in range(2):
            path = folder / f"data_tfrecord-{shard:05}-of-00002"
            with tf.io.TFRecordWriter(str(path)) as writer:
                for record in serialised[shard::2]:
                    writer.write(record)
    (root / features.LABELS_FILE).write_text(json.dumps(LABELS))


def image_record(index: int, rng: np.random.Generator) -> bytes:
    """Return the example of one image: even ones bright PNGs, odd ones dark JPEGs."""
    low, high, image_format = ((150, 256, "PNG"), (0, 100, "JPEG"))[index % 2]
    pixels = rng.integers(low, high, (20, 30, 3)).astype(np.uint8)
    return example(
        **{
            features.ENCODED: encoded(pixels, image_format),
            features.LABEL: LABELS[index % 2].encode(),
            features.SHA256: b"0" * 64,
            features.PATH: f"{LABELS[index % 2]}/{index}.{image_format.lower()}".encode(),
        }
    )


@pytest.fixture(scope="session")
def examples(tmp_path_factory) -> Path:
    """Return a folder of encoded examples of two classes in three splits."""
    root = tmp_path_factory.mktemp("examples")
    rng = np.random.default_rng(0)
    records = {
        split: [image_record(index, rng) for index in range(count)]
        for split, count in COUNTS.items()
    }
    write_examples(root, records)
    return root
