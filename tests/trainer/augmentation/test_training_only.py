"""Augmentation touches training alone: what is measured, exported and served never sees it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from tests.trainer.augmentation.conftest import config, only
from tests.trainer.conftest import arrays
from trainer.augmentation import Augmentation
from trainer.batches import evaluation_batches, training_batches
from trainer.batches.sampling import Position, Sampling
from trainer.export.saved_model import export
from trainer.training.train import train
from trainer.training.training_model import TrainingModel

BLACK = only("brightness", 0)


class Witness(keras.Model):
    """Keeps the brightest value that it is shown, in training and outside of it."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.dense = keras.Sequential(
            [keras.layers.Flatten(), keras.layers.Dense(classes, activation="softmax")]
        )
        self.brightest = {
            name: self.add_weight(name=name, shape=(), trainable=False, initializer="zeros")
            for name in ("training", "elsewhere")
        }

    def call(self, pixels, training=False):
        seen = self.brightest["training" if training else "elsewhere"]
        seen.assign(keras.ops.maximum(seen, keras.ops.max(pixels)))
        return self.dense(pixels / 255.0)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_policy_that_paints_all_black_does_so_in_training_alone(dataset, jit_compile):
    network = Witness(2)
    model = TrainingModel(network, Augmentation(config(**BLACK), dataset.labels, 0))
    model.compile("sgd", "categorical_crossentropy", jit_compile=jit_compile)
    model.fit(
        training_batches(dataset, Sampling(16, 0), Position(), 6),
        validation_data=evaluation_batches(dataset, "validation", 16),
        epochs=1,
        verbose=0,
    )
    assert float(network.brightest["training"]) == 0
    assert float(network.brightest["elsewhere"]) > 150


def blackened(dataset: ImageDataset, backend: str):
    section = {"preset": "none", "backend": backend, **BLACK, "mixup": 1.0}
    recipe = TrainingRecipe(
        trainer=TrainerConfig(model_options={"filters": [8]}, epochs=1, batch_size=16),
        augmentation=AugmentationConfig.model_validate(section),
        seed=1,
    )
    return train(recipe, dataset)


@pytest.mark.parametrize("backend", ["keras", "albumentations"])
def test_metrics_of_the_validation_split_are_of_its_images_as_they_are(dataset, backend):
    if backend == "albumentations":
        pytest.importorskip("albumentations", reason="it is not installed")
    trained = blackened(dataset, backend)
    losses, black = (
        [
            float(keras.losses.CategoricalCrossentropy()(targets, trained.network(pixels * light)))
            for pixels, targets in arrays(dataset, "validation")
        ]
        for light in (1.0, 0.0)
    )
    assert trained.history["val_loss"][0] == pytest.approx(np.mean(losses), rel=1e-3)
    assert np.mean(losses) != pytest.approx(np.mean(black), rel=1e-3)


def test_what_is_served_has_neither_the_operations_nor_random_numbers(dataset, tmp_path):
    trained = blackened(dataset, "keras")
    export(trained.network, dataset, str(tmp_path / "model"))
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    functions = served.graph.as_graph_def().library.function
    operations = {node.op for function in functions for node in function.node_def}
    operations |= {node.op for node in served.graph.as_graph_def().node}
    assert not [name for name in operations if "Random" in name or "RngReadAndSkip" in name]
    pixels = np.concatenate([pixels for pixels, _ in arrays(dataset, "test")])
    encoded = tf.constant([tf.io.encode_png(one.astype("uint8")).numpy() for one in pixels])
    first, second = (served(encoded)["probabilities"].numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, trained.network(pixels), atol=1e-5)
