"""The model card: counts that can be done by hand, published figures, and every kind of model."""

import json
import time
from xml.etree import ElementTree

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from contracts.config.trainer.config import TrainerConfig
from trainer.export.saved_model import export
from trainer.models import build_model
from trainer.models.architecture import Stage, stages
from trainer.models.card import write_card


def cnn(size_px: int = 16) -> keras.Model:
    options = {"filters": [4, 6], "dense_units": 5}
    return build_model(TrainerConfig(model_options=options), size_px, 3)


def test_the_stages_of_a_cnn_as_counted_by_hand():
    first, second = 16 * 16 * 4, 8 * 8 * 6
    assert stages(cnn(), 16) == [
        Stage("normalise", (16, 16, 3), 0, 0, 0),
        Stage("stage_0", (8, 8, 4), 27 * 4 + 16, 16 * 16 * 3 * first + 16, 16 * 16 * 27 * 4),
        Stage("stage_1", (4, 4, 6), 36 * 6 + 24, 8 * 8 * 4 * second + 24, 8 * 8 * 36 * 6),
        Stage("head", (3,), 7 * 5 + 6 * 3, 7 * 5 + 6 * 3, 6 * 5 + 5 * 3),
    ]


@pytest.mark.parametrize(
    ("name", "gigas"),
    # Liu et al., 2022, table 9; Woo et al., 2023, table 11; Sandler et al., 2018, table 4.
    [("convnext_tiny", 4.5), ("convnext_atto", 0.55), ("MobileNetV2", 0.3)],
)
def test_the_published_operations(name, gigas):
    network = build_model(TrainerConfig(model=name), 224, 1000)
    found = stages(network, 224)
    assert sum(stage.multiply_adds for stage in found) / 1e9 == pytest.approx(gigas, rel=0.02)
    assert sum(stage.parameters for stage in found) == network.count_params()


def test_a_backbone_is_shown_by_the_size_of_its_maps():
    found = stages(build_model(TrainerConfig(model="MobileNetV2"), 64, 3), 64)
    sides = [64, 32, 16, 8, 4, 2]
    assert [stage.name for stage in found] == [*(f"maps of {px} x {px}" for px in sides), "head"]
    assert [stage.output_shape[0] for stage in found[1:-1]] == sides[1:]


class Block(layers.Layer):
    def __init__(self):
        super().__init__(name="block")
        self.conv = layers.Conv2D(4, 3, padding="same", use_bias=False)
        self.scale = self.add_weight((), name="scale")

    def call(self, x):
        return self.conv(self.conv(x)) * self.scale  # twice the same layer


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="mine")
        self.classify = layers.Dense(2, activation="softmax", name="classify")
        self.grow = layers.Conv2D(4, 1, use_bias=False, name="grow")
        self.block = Block()
        self.shift = self.add_weight((4,), name="shift")

    def call(self, pixels):
        x = self.block(self.grow(pixels)) + self.shift
        return self.classify(keras.ops.mean(x, (1, 2)))


def test_a_subclassed_model_is_shown_by_its_top_layers_in_order_of_call():
    network = Subclassed()
    network(np.zeros((1, 8, 8, 3)))
    dense = 256 * 256
    assert stages(network, 8) == [
        Stage("grow", (8, 8, 4), 12, 192 * 256, 64 * 12),
        Stage("block", (8, 8, 4), 145, dense + 1, 2 * 64 * 144),
        Stage("classify", (2,), 10, 10, 8),
        Stage("outside of layers", (), 4, 4, 0),
    ]


def test_attention_and_nested_models_are_counted():
    inner = keras.Sequential([layers.Conv2D(4, 2, strides=2, use_bias=False)], name="inner")
    inputs = keras.Input((8, 8, 3))
    x = layers.Reshape((16, 4))(inner(inputs))
    x = layers.MultiHeadAttention(2, 4, use_bias=False, name="attention")(x, x)
    found = {stage.name: stage for stage in stages(keras.Model(inputs, x), 8)}
    assert found["inner"].multiply_adds == 16 * 12 * 4
    assert found["attention"].multiply_adds == 4 * 16 * 4 * 8  # query, key, value, output


def test_a_card_is_written_whole_and_quickly(tmp_path, dataset):
    network = cnn()
    network.layers[2].trainable = False
    started_s = time.monotonic()
    write_card(network, tmp_path / "card", 16)
    assert time.monotonic() - started_s < 3
    names = {"card.json", "card.md", "summary.txt", "diagram.svg"}
    assert {path.name for path in (tmp_path / "card").iterdir()} == names
    card = json.loads((tmp_path / "card" / "card.json").read_text())
    assert card["parameters"] == network.count_params() == 417
    assert card["trainable_parameters"] == 417 - 20 - 108
    assert card["size_bytes"] == 4 * 417
    assert card["flops"] == 2 * card["multiply_adds"]
    assert 0 < card["latency_ms"]["1"] < card["latency_ms"]["32"] < 1000
    assert card["device"].strip()
    page = (tmp_path / "card" / "card.md").read_text()
    assert "| stage_1 | 4 x 4 x 6 | 240 |" in page
    assert "| weights | 417, of them 289 trainable |" in page
    assert "probabilities (Dense)" in (tmp_path / "card" / "summary.txt").read_text()
    picture = ElementTree.parse(tmp_path / "card" / "diagram.svg").getroot()
    assert picture.tag.endswith("svg")
    # It leaves nothing behind that would go into the SavedModel.
    export(network, dataset, str(tmp_path / "model"))
    served = tf.saved_model.load(str(tmp_path / "model"))
    assert set(served.signatures) == {"serving_default", "serving_examples"}


def test_the_same_network_gives_the_same_picture(tmp_path):
    pictures = []
    for folder in ("one", "two"):
        write_card(cnn(), tmp_path / folder, 16)
        pictures.append((tmp_path / folder / "diagram.svg").read_bytes())
    assert pictures[0] == pictures[1]


def test_what_takes_too_long_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.models.card.LONGEST_SECONDS", 0.0)
    monkeypatch.setattr("trainer.models.card.SECONDS_A_BATCH", 0.0)
    monkeypatch.setattr("trainer.models.card._median_s", lambda *_: 0.5)
    card = write_card(cnn(), tmp_path, 16)
    assert card.latency_ms == {"1": 500.0, "32": None}
    assert "| batch of 32 | more than 5 s |" in (tmp_path / "card.md").read_text()
