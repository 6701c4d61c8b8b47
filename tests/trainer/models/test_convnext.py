"""ConvNeXt: the papers' sizes and formulas, and the outputs of Keras's own."""

import keras
import numpy as np
import pytest

from contracts.config.trainer.config import TrainerConfig
from contracts.config.trainer.model_options import ConvNeXtOptions
from trainer.models import build_model
from trainer.models.block_layers import GlobalResponseNormalization, LayerScale, StochasticDepth
from trainer.models.convnext import build_convnext
from trainer.models.weights import copy_weights

SIZES = {
    "convnext_tiny": 28.6,
    "convnext_small": 50.2,
    "convnext_base": 88.6,
    "convnext_large": 197.8,
    "convnext_atto": 3.7,
    "convnext_femto": 5.2,
    "convnext_pico": 9.1,
    "convnext_nano": 15.6,
    "convnext_v2_tiny": 28.6,
    "convnext_v2_base": 88.7,
}


@pytest.mark.usefixtures("shapes_only")
@pytest.mark.parametrize("name", SIZES)
def test_the_papers_parameters(name):
    """Liu et al., 2022, table 9; Woo et al., 2023, table 11: millions at 1000 classes, 224 px."""
    model = build_model(TrainerConfig(model=name), 224, 1000)
    assert model.count_params() / 1e6 == pytest.approx(SIZES[name], abs=0.06)


def test_tiny_with_the_weights_of_kerass_own_is_kerass_own():
    theirs = keras.applications.ConvNeXtTiny(
        weights=None, input_shape=(64, 64, 3), classes=5, include_top=True
    )
    rng = np.random.default_rng(0)
    for weight in theirs.weights:  # their defaults hide mistakes: scales of 1e-6, biases of 0
        weight.assign(weight + rng.normal(0, 0.02, weight.shape))
    ours = build_convnext("convnext_tiny", ConvNeXtOptions(stem_patch_px=4), 64, 5)
    copy_weights(theirs, ours)
    pixels = rng.uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    expected = np.asarray(theirs(pixels))
    np.testing.assert_allclose(np.asarray(ours(pixels)), expected, rtol=0, atol=1e-5)
    assert expected.std(0).max() > 1e-3  # the two pictures are told apart
    assert ours.count_params() == theirs.count_params()


@pytest.mark.usefixtures("shapes_only")
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


def test_saved_layers_can_be_read_back(tmp_path):
    options = {"depths": [1], "widths": [4], "drop_path_rate": 0.5}
    model = build_model(TrainerConfig(model="convnext_atto", model_options=options), 8, 2)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = np.ones((1, 8, 8, 3), np.float32)
    np.testing.assert_allclose(again(x), model(x), rtol=1e-6)


def test_layer_scale_begins_small_and_can_be_left_out():
    layer = LayerScale(0.5)
    np.testing.assert_array_equal(layer(np.full((2, 3), 4.0, np.float32)), np.full((2, 3), 2.0))
    names = {}
    for init in (1e-6, 0.0):
        options = ConvNeXtOptions(depths=(1,), widths=(4,), layer_scale_init=init)
        names[init] = [
            layer.name for layer in build_convnext("convnext_tiny", options, 8, 2).layers
        ]
    assert set(names[1e-6]) - set(names[0.0]) == {"stage_0_block_0_scale"}
    assert not [name for name in names[1e-6] if name.endswith("_response")]
