"""The serving signature of a SavedModel as an MLflow model signature."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from contracts.artifacts import signatures
from contracts.system.atomic_files import write_whole

SIGNATURE_FILE = "model_signature.json"
# MLflow knows NumPy's types; text leaves a model as bytes.
TEXT = np.dtype("bytes")


def write_signature(saved_model: Path, folder: Path) -> Path:
    """Write `serving_default` as MLflow writes signatures and return the file.

    `mlflow.models.ModelSignature.from_dict` reads it.
    """
    path = folder / SIGNATURE_FILE
    write_whole(path, json.dumps(serving_signature(saved_model).to_dict(), indent=1))
    return path


def serving_signature(saved_model: Path) -> ModelSignature:
    """Return `serving_default` of a model, which is not loaded for it."""
    graph = saved_model_pb2.SavedModel()
    graph.ParseFromString((saved_model / signatures.SAVED_MODEL_FILE).read_bytes())
    definition = graph.meta_graphs[0].signature_def[signatures.SERVING_DEFAULT]
    return ModelSignature(inputs=_schema(definition.inputs), outputs=_schema(definition.outputs))


def _schema(tensors: dict[str, meta_graph_pb2.TensorInfo]) -> Schema:
    return Schema([_spec(name, info) for name, info in sorted(tensors.items())])


def _spec(name: str, info: meta_graph_pb2.TensorInfo) -> TensorSpec:
    dtype = tf.dtypes.as_dtype(info.dtype)
    shape = tuple(dimension.size for dimension in info.tensor_shape.dim)
    return TensorSpec(TEXT if dtype == tf.string else np.dtype(dtype.as_numpy_dtype), shape, name)
