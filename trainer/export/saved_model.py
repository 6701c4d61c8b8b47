"""A trained network -> SavedModel with preprocessing and labels inside its graph."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from contracts.artifacts import features, signatures
from contracts.artifacts.image_dataset import CHANNELS, ImageDataset
from trainer.export.graph_decoding import decode_raw, may_differ
from trainer.preprocessing import decode, resize

# Says which images a model takes; it is copied into the model under the same name.
SERVING_IMAGES = Path(__file__).parent / "graph_decoding" / "serving_images.md"


class ServingModule(tf.Module):
    """The two signatures of a pushed model.

    `serving_default` takes `image_bytes`, string [batch]: files that `SERVING_IMAGES` names.
    `serving_examples` takes `examples`, string [batch]: serialised tf.Examples with
    `image/encoded`. Both return `label` string [batch], `score` float32 [batch],
    `probabilities` float32 [batch, classes] and `all_classes` string [batch, classes].
    """

    def __init__(self, network: keras.Model, dataset: ImageDataset) -> None:
        super().__init__(name="imgpipe")
        self._network = network
        self._preprocessing = dataset.preprocessing
        self._reading = dataset.reading
        # A constant, so that the labels stand in the graph itself.
        self._labels = tf.constant(dataset.labels)
        # One function for both signatures: the graph that decodes raw files is a large one.
        self._pixels = tf.function(
            self._decoded, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )

    def signature_functions(self) -> dict[str, Any]:
        """Return the traced functions by signature name."""
        # Nothing in the graphs needs autograph's conversion, which costs seconds.
        functions = {
            signatures.SERVING_DEFAULT: (self._serve_images, signatures.INPUT_IMAGES),
            signatures.SERVING_EXAMPLES: (self._serve_examples, signatures.INPUT_EXAMPLES),
        }
        return {
            name: tf.function(
                function,
                input_signature=[tf.TensorSpec([None], tf.string, name=input_name)],
                autograph=False,
            )
            for name, (function, input_name) in functions.items()
        }

    def _serve_images(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = self._pixels(image_bytes)
        # A head in half precision, as a user's own may be, answers in it.
        probabilities = tf.cast(
            self._network(tf.cast(pixels, tf.float32), training=False), tf.float32
        )
        best = tf.argmax(probabilities, axis=-1)
        batch = tf.shape(probabilities)[0]
        return {
            signatures.OUTPUT_LABEL: tf.gather(self._labels, best),
            signatures.OUTPUT_SCORE: tf.reduce_max(probabilities, axis=-1),
            signatures.OUTPUT_PROBABILITIES: probabilities,
            signatures.OUTPUT_CLASSES: tf.tile(self._labels[tf.newaxis], [batch, 1]),
        }

    def _decoded(self, image_bytes: tf.Tensor) -> tf.Tensor:
        size = self._preprocessing.image_size_px

        def decoded_by(decoder: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
            return tf.map_fn(
                lambda one: resize(decoder(one), self._preprocessing),
                image_bytes,
                fn_output_signature=tf.TensorSpec([size, size, CHANNELS], tf.uint8),
            )

        # The branches of `decode_raw` cost a small image as much as decoding it does, even where
        # they are not taken: a batch without need of them has a graph without them.
        return tf.cond(
            tf.reduce_any(may_differ(image_bytes)),
            lambda: decoded_by(lambda one: decode_raw(one, self._reading)),
            lambda: decoded_by(decode),
        )

    def _serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        spec = {features.ENCODED: tf.io.FixedLenFeature([], tf.string)}
        return self._serve_images(tf.io.parse_example(examples, spec)[features.ENCODED])


def export(network: keras.Model, dataset: ImageDataset, folder: str) -> None:
    """Write the network as a SavedModel to `folder`; nothing of Keras is needed to load it.

    How the images were read, and which ones it takes, goes with it (`signatures.EXTRA_ASSETS`).
    """
    module = ServingModule(network, dataset)
    tf.saved_model.save(module, folder, signatures=module.signature_functions())
    extra_assets = Path(folder, signatures.EXTRA_ASSETS)
    dataset.reading.write(extra_assets)
    shutil.copyfile(SERVING_IMAGES, extra_assets / SERVING_IMAGES.name)
