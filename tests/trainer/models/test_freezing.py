"""What is frozen stays as it is, statistics of normalisation too."""

import keras
import numpy as np
import pytest

from contracts.config.trainer.config import TrainerConfig
from contracts.system.errors import ConfigError
from trainer.models import build_model
from trainer.models.freezing import freeze_backbone, thaw


def cnn() -> keras.Model:
    options = {"filters": [4, 4, 4], "dense_units": 5}
    return build_model(TrainerConfig(model_options=options), 16, 2)


def trainable(network: keras.Model) -> list[str]:
    return [layer.name for layer in network.layers if layer.trainable_weights]


def changed_by_a_step(network: keras.Model) -> set[str]:
    """Train one step on noise and return the layers of which any weight is another one."""
    before = {weight.path: np.array(weight) for weight in network.weights}
    network.compile("adam", "categorical_crossentropy")
    noise = np.random.default_rng(0).uniform(0, 1, (8, 16, 16, 3)).astype(np.float32)
    network.fit(noise, np.eye(2)[[0, 1] * 4], verbose=0)
    return {
        weight.path.rpartition("/")[0]
        for weight in network.weights
        if not np.array_equal(before[weight.path], np.array(weight))
    }


def test_a_frozen_backbone_learns_nothing_and_keeps_its_statistics():
    network = cnn()
    freeze_backbone(network)
    assert trainable(network) == ["head_dense", "probabilities"]
    assert changed_by_a_step(network) == {"head_dense", "probabilities"}


def test_thawed_from_a_layer_on():
    network = cnn()
    freeze_backbone(network)
    thaw(network, "stage_2")
    stage = ["stage_2_conv", "stage_2_norm"]
    assert trainable(network) == [*stage, "head_dense", "probabilities"]
    assert changed_by_a_step(network) == {*stage, "head_dense", "probabilities"}


def test_thawed_altogether():
    network = cnn()
    everything = trainable(network)
    freeze_backbone(network)
    thaw(network, None)
    assert trainable(network) == everything
    assert len(everything) == 8


def test_a_name_that_no_layer_has_is_answered_with_the_names():
    with pytest.raises(ConfigError) as raised:
        thaw(cnn(), "stage_3")
    assert str(raised.value) == (
        "trainer.fine_tuning.trainable_from: expected the beginning of a layer's name, received "
        "'stage_3'. The layers of cnn with weights, from the first to the last: stage_0, stage_1, "
        "stage_2, head, probabilities."
    )


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        norm = keras.layers.BatchNormalization(name="norm")
        self.body = keras.Sequential([keras.layers.Conv2D(3, 3, name="conv"), norm])
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.classify = keras.layers.Dense(2, activation="softmax", name="classify")

    def call(self, pixels):
        return self.classify(self.pool(self.body(pixels)))


def nested() -> keras.Model:
    body = [keras.layers.Conv2D(3, 3, name="conv"), keras.layers.BatchNormalization(name="norm")]
    classify = keras.layers.Dense(2, activation="softmax", name="classify")
    inner = keras.Sequential([*body, keras.layers.GlobalAveragePooling2D(), classify])
    return keras.Sequential([keras.Input((16, 16, 3)), inner])


class Scaled(keras.Model):
    """Has a weight of its own beside those of its layers."""

    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(3, 3, name="conv", use_bias=False)
        self.classify = keras.layers.Dense(2, activation="softmax", name="classify")
        self.scale = self.add_weight((3,), initializer="ones", name="scale")

    def call(self, pixels):
        return self.classify(keras.ops.mean(self.conv(pixels) * self.scale, (1, 2)))


@pytest.mark.parametrize("build", [Subclassed, nested, Scaled])
def test_of_a_users_model_the_last_layer_with_weights_is_the_head(build):
    network = build()
    network(np.zeros((1, 16, 16, 3)))
    everything = len(network.trainable_weights)
    freeze_backbone(network)
    assert [weight.path.split("/")[-2] for weight in network.trainable_weights] == ["classify"] * 2
    assert {path.split("/")[-1] for path in changed_by_a_step(network)} == {"classify"}
    thaw(network, None)
    assert len(network.trainable_weights) == everything > 2
