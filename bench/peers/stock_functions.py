"""The functions that TFX's Transform and Trainer call, in the idiom of TFX's examples."""

import sys
import time
from typing import Any
from unittest import mock

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx
from tfx_bsl.public import tfxio

from bench.peers.workload import Workload, parse_workload
from trainer.models import build_model


def preprocessing_fn(
    inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Decode and resize images, labels to indices."""
    size_px = custom_config["size_px"]

    def decode(image: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_image(image, channels=3, expand_animations=False)
        return tf.image.resize(pixels, [size_px, size_px], antialias=True)

    images = tf.map_fn(
        decode,
        tf.reshape(inputs["image"], [-1]),
        fn_output_signature=tf.TensorSpec([size_px, size_px, 3], tf.float32),
    )
    labels = tft.compute_and_apply_vocabulary(inputs["label"], vocab_filename="labels")
    return {"image_xf": images, "label_xf": labels}


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Train the model that all contestants train, and export it with the transform graph."""
    work = _work(fn_args.custom_config["work"])
    transform = tft.TFTransformOutput(fn_args.transform_output)
    classes = transform.vocabulary_size_by_name("labels")
    train = _batches(fn_args.train_files, fn_args.data_accessor, transform, classes, work)
    validation = _batches(fn_args.eval_files, fn_args.data_accessor, transform, classes, work)
    network = build_model(work.trainer(), work.size_px, classes)
    network.compile(
        keras.optimizers.AdamW(work.trainer().learning_rate),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    started_s = time.monotonic()
    network.fit(train, validation_data=validation, epochs=work.epochs, verbose=0)
    work.write_training(time.monotonic() - started_s)
    module = _Serving(network, transform)
    signatures = {
        "serving_default": module.serve.get_concrete_function(),
        "transform_features": module.transform_features.get_concrete_function(),
    }
    tf.saved_model.save(module, fn_args.serving_model_dir, signatures=signatures)


def _work(arguments: list[str]) -> Workload:
    with mock.patch.object(sys, "argv", ["stock", *arguments]):
        return parse_workload()


def _batches(
    files: list[str],
    accessor: tfx.components.DataAccessor,
    transform: tft.TFTransformOutput,
    classes: int,
    work: Workload,
) -> tf.data.Dataset:
    options = tfxio.TensorFlowDatasetOptions(
        batch_size=work.batch_size, label_key="label_xf", num_epochs=1
    )
    dataset = accessor.tf_dataset_factory(files, options, transform.transformed_metadata.schema)
    return dataset.map(
        lambda features, label: (
            tf.reshape(features["image_xf"], [-1, work.size_px, work.size_px, 3]),
            tf.one_hot(tf.reshape(label, [-1]), classes),
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
    ).prefetch(tf.data.AUTOTUNE)


class _Serving(tf.Module):
    """Raw serialised examples -> class probabilities."""

    def __init__(self, network: keras.Model, transform: tft.TFTransformOutput) -> None:
        super().__init__()
        self._network = network
        self._transform = transform
        self._layer = transform.transform_features_layer()
        signature = [tf.TensorSpec([None], tf.string, name="examples")]
        self.serve = tf.function(self._serve, input_signature=signature)
        self.transform_features = tf.function(self._transform_features, input_signature=signature)

    def _serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        images = self._transformed(examples, with_label=False)["image_xf"]
        return {"probabilities": self._network(images)}

    def _transform_features(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._transformed(examples, with_label=True)

    def _transformed(self, examples: tf.Tensor, *, with_label: bool) -> dict[str, tf.Tensor]:
        spec = self._transform.raw_feature_spec()
        if not with_label:
            del spec["label"]
        transformed: dict[str, tf.Tensor] = self._layer(tf.io.parse_example(examples, spec))
        return transformed
