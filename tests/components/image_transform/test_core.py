"""What ImageTransform stores is what the server sees, bit for bit, and nothing is dropped."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.image_transform import core
from contracts.artifacts import features
from contracts.config.preprocessing import PreprocessingConfig
from contracts.system.errors import ComponentError
from tests.components.conftest import LABELS, example, write_examples
from trainer.preprocessing import decode_and_resize

CONFIG = PreprocessingConfig(image_size_px=16, resize="pad")
INDICES = {label: index for index, label in enumerate(LABELS)}


def parsed(path: Path, spec: dict) -> list[dict]:
    records = tf.data.TFRecordDataset(str(path))
    return [
        {name: value.numpy() for name, value in tf.io.parse_single_example(one, spec).items()}
        for one in records
    ]


def test_stored_pixels_are_those_that_are_served(examples, tmp_path):
    source = examples / "Split-train" / "data_tfrecord-00001-of-00002"
    assert sum(core.transform_shard(source, tmp_path / "out", INDICES, CONFIG)) == 6
    strings = {
        name: tf.io.FixedLenFeature([], tf.string) for name in (features.PIXELS, features.PATH)
    }
    stored = parsed(
        tmp_path / "out", {**strings, features.LABEL_INDEX: tf.io.FixedLenFeature([], tf.int64)}
    )
    originals = parsed(source, core.PARSED)
    assert len(stored) == len(originals)
    for record, original in zip(stored, originals, strict=True):
        pixels = np.frombuffer(record[features.PIXELS], np.uint8).reshape(16, 16, 3)
        served = decode_and_resize(original[features.ENCODED], CONFIG).numpy()
        np.testing.assert_array_equal(pixels, served)
        assert LABELS[record[features.LABEL_INDEX]].encode() == original[features.LABEL]
        assert record[features.PATH] == original[features.PATH]


def test_an_image_that_cannot_be_decoded_is_named_and_nothing_is_left(tmp_path):
    bad = example(
        **{
            features.ENCODED: b"no image",
            features.LABEL: b"dark",
            features.SHA256: b"",
            features.PATH: b"dark/broken.jpg",
        }
    )
    write_examples(tmp_path, {"train": [bad]})
    source = tmp_path / "Split-train" / "data_tfrecord-00000-of-00002"
    with pytest.raises(ComponentError, match=r"dark/broken\.jpg: expected a JPEG or PNG"):
        core.transform_shard(source, tmp_path / "out", INDICES, CONFIG)
    assert not (tmp_path / "out").exists()


def test_a_label_that_nobody_knows_is_named(examples, tmp_path):
    source = examples / "Split-train" / "data_tfrecord-00000-of-00002"
    with pytest.raises(ComponentError, match="received 'bright'"):
        core.transform_shard(source, tmp_path / "out", {"dark": 0}, CONFIG)


def test_an_artifact_without_labels_is_an_error(tmp_path):
    with pytest.raises(ComponentError, match=r"labels\.json"):
        core.read_labels(str(tmp_path))
