"""The SavedModel: what is served is what was trained, in a process that knows nothing of us."""

import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import ExifTags, Image

from contracts.artifacts import features, signatures
from contracts.artifacts.tf_example import serialise
from contracts.config.trainer.config import TrainerConfig
from contracts.images.canonical import canonicalise
from contracts.images.reading import ImageReading
from tests.conftest import encoded
from trainer.export.saved_model import SERVING_IMAGES, export
from trainer.models import build_model


@pytest.fixture(scope="module")
def served(tmp_path_factory, dataset):
    network = build_model(TrainerConfig(model_options={"filters": [4, 4]}), dataset.size_px, 2)
    folder = str(tmp_path_factory.mktemp("export") / "model")
    export(network, dataset, folder)
    return network, folder


def image(size: tuple[int, int], image_format: str = "PNG") -> bytes:
    pixels = np.random.default_rng(size[0]).integers(0, 256, (*size, 3), dtype=np.uint8)
    return encoded(pixels, image_format)


def test_images_in_label_score_and_probabilities_out(served, dataset):
    network, folder = served
    signature = tf.saved_model.load(folder).signatures[signatures.SERVING_DEFAULT]
    outputs = signature(image_bytes=tf.constant([image((16, 16)), image((40, 30), "JPEG")]))
    probabilities = outputs["probabilities"].numpy()
    pixels = np.asarray(Image.open(io.BytesIO(image((16, 16)))), np.float32)
    np.testing.assert_allclose(probabilities[:1], network(pixels[None]), rtol=1e-5)
    best = probabilities.argmax(1)
    assert [label.decode() for label in outputs["label"].numpy()] == [
        dataset.labels[index] for index in best
    ]
    np.testing.assert_array_equal(outputs["score"], probabilities.max(1))
    assert outputs["all_classes"].numpy().tolist() == [[b"horizontal", b"vertical"]] * 2


def test_serialised_examples_give_the_same(served):
    loaded = tf.saved_model.load(served[1])
    encoded = image((20, 20))
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded]))
    example = tf.train.Example(
        features=tf.train.Features(feature={features.ENCODED: feature})
    ).SerializeToString()
    of_example = loaded.signatures[signatures.SERVING_EXAMPLES](examples=tf.constant([example]))
    of_image = loaded.signatures[signatures.SERVING_DEFAULT](image_bytes=tf.constant([encoded]))
    np.testing.assert_array_equal(of_example["probabilities"], of_image["probabilities"])


def test_a_process_with_nothing_but_tensorflow_predicts_the_same(served):
    encoded = image((33, 21))
    code = (
        "import sys, json, tensorflow as tf\n"
        f"model = tf.saved_model.load({served[1]!r})\n"
        f"out = model.signatures['serving_default'](image_bytes=tf.constant([{encoded!r}]))\n"
        "print(json.dumps([out['probabilities'].numpy().tolist(), sorted(\n"
        "    name for name in ('trainer', 'keras', 'tf_keras') if name in sys.modules)]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    probabilities, imported = json.loads(run.stdout.splitlines()[-1])
    assert "trainer" not in imported
    signature = tf.saved_model.load(served[1]).signatures[signatures.SERVING_DEFAULT]
    here = signature(image_bytes=tf.constant([encoded]))["probabilities"].numpy()
    np.testing.assert_array_equal(np.float32(probabilities), here)


def test_a_head_in_half_precision_still_answers_in_float32(tmp_path, dataset):
    inputs = keras.Input((dataset.size_px, dataset.size_px, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    head = keras.layers.Dense(2, activation="softmax", dtype="bfloat16")
    export(keras.Model(inputs, head(pooled)), dataset, str(tmp_path / "model"))
    signature = tf.saved_model.load(str(tmp_path / "model")).signatures[signatures.SERVING_DEFAULT]
    outputs = signature(image_bytes=tf.constant([image((16, 16))]))
    assert outputs["probabilities"].dtype == outputs["score"].dtype == tf.float32


def signature_of(folder: str, name: str = signatures.SERVING_DEFAULT) -> Any:
    return tf.saved_model.load(folder).signatures[name]


def phone_picture() -> bytes:
    """Return a picture as a phone stores it, on its side."""
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    pixels = np.random.default_rng(6).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    return encoded(pixels, "JPEG", exif=turned)


def transparent_picture() -> bytes:
    pixels = np.random.default_rng(7).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    return encoded(pixels)


def deep_picture() -> bytes:
    return encoded(np.random.default_rng(8).integers(0, 1024, (20, 30), dtype=np.uint16))


@pytest.fixture(scope="module")
def served_with_reading(tmp_path_factory, dataset):
    """Return a model of images that were read in a way of their own, and that way."""
    reading = ImageReading(background="#ff0000", integer_range=(0, 1023))
    network = build_model(TrainerConfig(model_options={"filters": [4, 4]}), dataset.size_px, 2)
    folder = str(tmp_path_factory.mktemp("export") / "model")
    export(network, replace(dataset, reading=reading), folder)
    return folder, reading


def test_raw_and_canonical_files_give_the_same_one_by_one_and_in_a_batch(served_with_reading):
    folder, reading = served_with_reading
    raw = [phone_picture(), image((16, 16)), transparent_picture(), deep_picture()]
    raw += [image((40, 30), "JPEG"), encoded(np.full((9, 9), 200, np.uint8), "BMP")]
    canonical = [canonicalise(one, reading).encoded for one in raw]
    assert [one == other for one, other in zip(raw, canonical, strict=True)] == [
        *(False, True, False, False, True, False)
    ]
    signature = signature_of(folder)
    expected = signature(image_bytes=tf.constant(canonical))["probabilities"].numpy()
    together = signature(image_bytes=tf.constant(raw))["probabilities"].numpy()
    np.testing.assert_array_equal(together, expected)
    for one, probabilities in zip(raw, expected, strict=True):
        alone = signature(image_bytes=tf.constant([one]))["probabilities"].numpy()[0]
        np.testing.assert_allclose(alone, probabilities, rtol=1e-5)


def test_raw_files_in_serialised_examples_give_the_same(served_with_reading):
    folder, reading = served_with_reading
    raw = [phone_picture(), transparent_picture()]
    examples = [serialise({features.ENCODED: one}) for one in raw]
    canonical = [canonicalise(one, reading).encoded for one in raw]
    given = signature_of(folder, signatures.SERVING_EXAMPLES)(examples=tf.constant(examples))
    expected = signature_of(folder)(image_bytes=tf.constant(canonical))
    np.testing.assert_array_equal(given["probabilities"], expected["probabilities"])


def test_values_beyond_the_range_of_the_data_are_an_error(served_with_reading):
    beyond = encoded(np.full((9, 9), 2000, np.uint16))
    with pytest.raises(tf.errors.InvalidArgumentError, match="0 to 1023"):
        signature_of(served_with_reading[0])(image_bytes=tf.constant([image((16, 16)), beyond]))


def test_how_images_are_read_and_which_are_taken_lies_beside_the_model(served_with_reading):
    folder, reading = served_with_reading
    beside = Path(folder, signatures.EXTRA_ASSETS)
    assert ImageReading.read(beside) == reading
    text = (beside / SERVING_IMAGES.name).read_text(encoding="utf-8")
    steps = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    names = {"model": folder, "raw": phone_picture()}
    exec(steps, names)
    assert names["image_bytes"] == canonicalise(phone_picture(), reading).encoded


def test_bytes_that_are_no_image_are_an_error_not_a_guess(served):
    signature = tf.saved_model.load(served[1]).signatures[signatures.SERVING_DEFAULT]
    with pytest.raises(tf.errors.InvalidArgumentError):
        signature(image_bytes=tf.constant([b"no image"]))
