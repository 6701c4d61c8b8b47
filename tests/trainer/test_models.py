"""The models by name: shapes, the paper's sizes, and the user's own."""

import sys

import keras
import numpy as np
import pytest

from contracts.errors import ConfigError
from contracts.training import TrainerConfig
from trainer.models import build_model
from trainer.models.convnext import GlobalResponseNormalization, StochasticDepth


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


@pytest.mark.parametrize(
    ("name", "millions"),
    [("convnext_atto", 3.7), ("convnext_femto", 5.2), ("convnext_pico", 9.1)],
)
def test_convnext_v2_has_the_papers_parameters(name, millions):
    """Woo et al., 2023, table 11, at 1000 classes and 224 pixels."""
    model = build_model(TrainerConfig(model=name), 224, 1000)
    assert model.count_params() / 1e6 == pytest.approx(millions, abs=0.06)


def test_the_stem_fits_the_image():
    strides = {}
    for size_px in (32, 96, 224):
        model = build_model(TrainerConfig(model="convnext_atto"), size_px, 2)
        strides[size_px] = model.get_layer("stem_conv").strides[0]
    assert strides == {32: 1, 96: 2, 224: 4}


def test_response_normalisation_is_the_papers_formula():
    layer = GlobalResponseNormalization()
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(layer(x), x, rtol=1e-6)  # identity at first
    layer.gamma.assign(np.full(5, 2.0))
    layer.beta.assign(np.full(5, 0.5))
    norm = np.sqrt((x**2).sum((1, 2), keepdims=True))
    expected = 2.0 * x * (norm / norm.mean(-1, keepdims=True)) + 0.5 + x
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_stochastic_depth_drops_whole_images_and_keeps_the_mean():
    layer = StochasticDepth(0.25, seed=0)
    x = np.ones((4000, 2, 2, 1), np.float32)
    np.testing.assert_array_equal(layer(x, training=False), x)
    dropped = np.asarray(layer(x, training=True))
    per_image = dropped.reshape(4000, -1)
    assert (per_image == per_image[:, :1]).all()
    assert (per_image[:, 0] == 0).mean() == pytest.approx(0.25, abs=0.03)
    assert dropped.mean() == pytest.approx(1, abs=0.04)


def test_a_users_own_model(tmp_path, monkeypatch):
    (tmp_path / "my_net.py").write_text(
        "import keras\n"
        "def build(size_px, classes, units=3):\n"
        "    return keras.Sequential([keras.Input((size_px, size_px, 3)), keras.layers.Flatten(),\n"
        "        keras.layers.Dense(units), keras.layers.Dense(classes, activation='softmax')])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    config = TrainerConfig(model="my_net:build", model_options={"units": 4})
    model = build_model(config, 8, 5)
    assert model.output_shape == (None, 5)
    assert model.layers[1].units == 4
    sys.modules.pop("my_net")


def test_a_users_model_that_cannot_be_imported_is_named():
    with pytest.raises(ConfigError, match="no_such_module:build"):
        build_model(TrainerConfig(model="no_such_module:build"), 8, 2)


def test_saved_layers_can_be_read_back(tmp_path):
    options = {"depths": [1], "widths": [4], "drop_path_rate": 0.5}
    model = build_model(TrainerConfig(model="convnext_atto", model_options=options), 8, 2)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = np.ones((1, 8, 8, 3), np.float32)
    np.testing.assert_allclose(again(x), model(x), rtol=1e-6)
