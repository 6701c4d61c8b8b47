"""A model of the user's own, in each of Keras's three styles, from a file to a SavedModel."""

import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from contracts.artifacts import signatures
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from contracts.system.errors import ConfigError
from tests.trainer.conftest import arrays
from trainer.export.saved_model import export
from trainer.models import build_model
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train

NETWORKS = """
import keras
from keras import layers

def sequential(size_px, classes, filters=8):
    return keras.Sequential([
        layers.Rescaling(1 / 127.5, -1), layers.Conv2D(filters, 3, activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(classes, activation="softmax")])

def functional(size_px, classes, filters=8):
    inputs = keras.Input((size_px, size_px, 3))
    x = layers.Conv2D(filters, 3, activation="relu")(layers.Rescaling(1 / 127.5, -1)(inputs))
    outputs = layers.Dense(classes, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, outputs)

class Subclassed(keras.Model):
    def __init__(self, size_px, classes, filters=8):
        super().__init__()
        self.scale = layers.Rescaling(1 / 127.5, -1)
        self.conv = layers.Conv2D(filters, 3, activation="relu")
        self.norm = layers.BatchNormalization(momentum=0.9)
        self.classify = layers.Dense(classes, activation="softmax")

    def call(self, pixels, training=False):
        x = self.norm(self.conv(self.scale(pixels)), training=training)
        return self.classify(keras.ops.mean(x, axis=(1, 2)))
"""


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("mine") / "networks.py"
    file.write_text(NETWORKS)
    return file


@pytest.mark.parametrize("style", ["sequential", "functional", "Subclassed"])
def test_each_style_is_trained_and_served(networks, dataset, tmp_path, style):
    recipe = TrainingRecipe(
        trainer=TrainerConfig(
            model=f"{networks}:{style}",
            model_options={"filters": 6},
            epochs=8,
            batch_size=16,
            learning_rate=0.03,
        ),
        augmentation=AugmentationConfig(preset="none"),
        seed=1,
    )
    network = train(recipe, dataset).network
    assert 6 in {weight.shape[-1] for weight in network.weights}
    pixels, targets = arrays(dataset, "test")[0]
    probabilities = np.asarray(network(pixels))
    assert (probabilities.argmax(1) == np.argmax(targets, 1)).mean() > 0.9
    export(network, dataset, str(tmp_path / "model"))
    served = tf.saved_model.load(str(tmp_path / "model")).signatures[signatures.SERVING_DEFAULT]
    images = [tf.io.encode_png(tf.cast(image, tf.uint8)) for image in pixels]
    np.testing.assert_allclose(
        served(image_bytes=tf.stack(images))["probabilities"], probabilities, atol=1e-5
    )


def test_layers_that_the_user_froze_stay_so_until_fine_tuning_says_otherwise(
    networks, dataset, tmp_path
):
    file = tmp_path / "frozen.py"
    file.write_text(
        f"{NETWORKS}\n"
        "def build(size_px, classes):\n"
        "    network = sequential(size_px, classes)\n"
        "    network.layers[1].trainable = False\n"
        "    return network\n"
    )
    no_change = AugmentationConfig(preset="none")
    moved = {}
    for kind, tuning in (("none", {}), ("asked", {"frozen_epochs": 1})):
        values = {"model": f"{file}:build", "epochs": 2, "fine_tuning": tuning}
        config = TrainerConfig(**values, batch_size=16, learning_rate=0.03)
        recipe = TrainingRecipe(trainer=config, augmentation=no_change, seed=1)
        with_best = Checkpoint(tmp_path / kind)
        trained = train(recipe, dataset, (), with_best).network
        keras.utils.set_random_seed(recipe.seed)
        before = build_model(config, dataset.size_px, 2)
        trained.load_weights(with_best.folder / "last.weights.h5")
        pairs = zip(before.layers[1].weights, trained.layers[1].weights, strict=True)
        moved[kind] = any(not np.array_equal(one, other) for one, other in pairs)
    assert moved == {"none": False, "asked": True}


def test_weights_of_a_users_model_go_to_one_for_other_classes(networks, tmp_path):
    file = tmp_path / "mine.weights.h5"
    for style in ("sequential", "functional", "Subclassed"):
        first = build_model(TrainerConfig(model=f"{networks}:{style}"), 16, 2)
        first.save_weights(file)
        config = TrainerConfig(model=f"{networks}:{style}", weights=str(file))
        again = build_model(config, 16, 5)
        np.testing.assert_array_equal(again.weights[0], first.weights[0])
        assert (8, 5) in [weight.shape for weight in again.weights]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("raise OSError('no file')", "failed: OSError: no file ({file}:4)."),
        ("return None", "expected it to return a keras.Model, received nothing."),
        ("return 3", "expected it to return a keras.Model, received a int."),
        (
            "return net(7, 'softmax')",
            "expected a model with output shape (None, 3), received (None, 7).",
        ),
        ("return net(3, None)", "in sum. End it in Dense(classes, activation='softmax', "),
        ("return net(3, 'sigmoid')", "expected probabilities, from 0 on and 1 in sum"),
        ("return wrong_size(classes)", "received input with shape (2, 192)."),
        ("return several()", "expected a model with one output, received a dict."),
        ("return Faulty()", "failed: ZeroDivisionError"),
    ],
)
def test_what_a_function_may_not_return(tmp_path, body, problem):
    file = tmp_path / "net.py"
    file.write_text(
        f"import keras\nfrom keras import layers\ndef build(size_px, classes):\n    {body}\n"
        + textwrap.dedent(
            """
            def net(units, activation):
                last = layers.Dense(units, activation=activation)
                return keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), last])
            def wrong_size(classes):
                last = layers.Dense(classes, activation="softmax")
                return keras.Sequential([keras.Input((9, 9, 3)), layers.Flatten(), last])
            def several():
                inputs = keras.Input((8, 8, 3))
                return keras.Model(inputs, {"a": layers.Flatten()(inputs)})
            class Faulty(keras.Model):
                def call(self, pixels):
                    return pixels / (1 // 0)
            """
        )
    )
    with pytest.raises(ConfigError) as raised:
        build_model(TrainerConfig(model=f"{file}:build"), 8, 3)
    (sentence,) = raised.value.problems
    assert sentence.startswith(f"trainer.model: {file}:build")
    assert problem.format(file=file) in sentence


def test_options_that_the_function_does_not_take(networks):
    config = TrainerConfig(model=f"{networks}:functional", model_options={"depth": 3})
    with pytest.raises(ConfigError, match=r"TypeError: functional\(\) got an unexpected keyword"):
        build_model(config, 8, 3)


def test_a_model_that_cannot_be_imported_is_named():
    with pytest.raises(ConfigError, match="no_such_module:build"):
        build_model(TrainerConfig(model="no_such_module:build"), 8, 2)
