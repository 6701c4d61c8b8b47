"""MLflow is shown which tensors a served model takes and gives."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from mlflow.models import ModelSignature

from registry.model_signature import serving_signature, write_signature


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return a SavedModel: text in, numbers and text out."""
    module = tf.Module()

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        length = tf.strings.length(image_bytes)
        score = tf.tile(tf.cast(length, tf.float32)[:, tf.newaxis], [1, 2])
        return {"label": image_bytes, "probabilities": tf.ensure_shape(score, [None, 2])}

    module.serve = tf.function(
        serve, input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")]
    )
    folder = tmp_path_factory.mktemp("signature") / "model"
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return folder


def test_names_types_and_shapes_are_those_of_serving_default(model):
    signature = serving_signature(model)
    assert [(one.name, one.type, one.shape) for one in signature.inputs] == [
        ("image_bytes", np.dtype("bytes"), (-1,))
    ]
    assert [(one.name, one.type, one.shape) for one in signature.outputs] == [
        ("label", np.dtype("bytes"), (-1,)),
        ("probabilities", np.dtype("float32"), (-1, 2)),
    ]


def test_the_model_need_not_be_loaded(model, tmp_path):
    shutil.copyfile(model / "saved_model.pb", tmp_path / "saved_model.pb")  # without its variables
    assert serving_signature(tmp_path) == serving_signature(model)


def test_mlflow_reads_the_file_that_is_written(model, tmp_path):
    path = write_signature(model, tmp_path)
    assert ModelSignature.from_dict(json.loads(path.read_text())) == serving_signature(model)
