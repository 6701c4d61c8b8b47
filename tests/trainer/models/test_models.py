"""The models by name: what all of them have in common, and the cnn."""

import keras
import numpy as np
import pytest

from contracts.config.trainer.config import TrainerConfig
from trainer.models import build_model
from trainer.models.freezing import is_head


@pytest.mark.parametrize("name", ["cnn", "convnext_atto"])
def test_a_model_gives_probabilities(name):
    model = build_model(TrainerConfig(model=name), size_px=32, classes=7)
    probabilities = np.asarray(model(np.full((2, 32, 32, 3), 255.0, np.float32)))
    assert probabilities.shape == (2, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)


def test_options_reach_the_cnn():
    options = {"filters": [4, 5, 6], "kernel_size": 5, "dense_units": 9}
    model = build_model(TrainerConfig(model="cnn", model_options=options), 32, 3)
    assert [model.get_layer(f"stage_{stage}_conv").filters for stage in range(3)] == [4, 5, 6]
    assert model.get_layer("stage_0_conv").kernel_size == (5, 5)
    assert model.get_layer("head_dense").units == 9


@pytest.mark.parametrize(
    ("size_px", "filters"),
    [(8, (256,)), (32, (64, 128, 256)), (96, (16, 32, 64, 128, 256))],
)
def test_the_cnn_fits_the_image_where_no_filters_are_named(size_px, filters):
    model = build_model(TrainerConfig(model="cnn"), size_px, 3)
    convolutions = [layer for layer in model.layers if layer.name.endswith("_conv")]
    assert tuple(layer.filters for layer in convolutions) == filters


@pytest.mark.usefixtures("shapes_only")
@pytest.mark.parametrize(
    "name", ["cnn", "convnext_tiny", "convnext_atto", "convnext_v2_tiny", "MobileNetV3Small"]
)
def test_the_layers_of_every_head_have_the_same_names(name):
    model = build_model(TrainerConfig(model=name), size_px=32, classes=7)
    names = [layer.name for layer in model.layers]
    first = names.index("head_pool")
    assert [name for name in names if is_head(name)] == names[first:]
    assert names[-1] == "probabilities"
    assert model.layers[0].name == "pixels"
    assert names[1] == "normalise"


def test_every_stage_may_have_its_own_options():
    options = {
        "filters": [4, 5, 6],
        "kernel_size": [5, 3, 1],
        "stride": [2, 1, 1],
        "padding": ["valid", "same", "same"],
        "pooling": ["none", "average", "max"],
    }
    model = build_model(TrainerConfig(model="cnn", model_options=options), 33, 3)
    convolutions = [model.get_layer(f"stage_{stage}_conv") for stage in range(3)]
    assert [layer.kernel_size[0] for layer in convolutions] == [5, 3, 1]
    assert [layer.output.shape[1] for layer in convolutions] == [15, 15, 7]
    assert model.get_layer("head_pool").input.shape == (None, 3, 3, 6)
    assert isinstance(model.get_layer("stage_1_pool"), keras.layers.AveragePooling2D)
    assert isinstance(model.get_layer("stage_2_pool"), keras.layers.MaxPooling2D)
    assert "stage_0_pool" not in [layer.name for layer in model.layers]


def test_lists_say_how_many_stages_there_are():
    model = build_model(TrainerConfig(model_options={"kernel_size": [5, 3]}), 32, 3)
    assert [model.get_layer(f"stage_{stage}_conv").filters for stage in range(2)] == [128, 256]


def test_the_defaults_give_the_plain_network():
    model = build_model(TrainerConfig(), 32, 3)
    kinds = [type(layer).__name__ for layer in model.layers]
    stage = ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]
    head = ["GlobalAveragePooling2D", "Dropout", "Dense"]
    assert kinds == ["InputLayer", "Rescaling", *stage * 3, *head]
    assert model.count_params() == 3 * 9 * 64 + 9 * 64 * 128 + 9 * 128 * 256 + 4 * 448 + 257 * 3
