"""Every style of model can be looked into, and is left as it was."""

import keras
import numpy as np
import pytest
from keras import layers

from tests.trainer.pictures.conftest import SIZE_PX, STYLES, colour_finder, spot
from trainer.pictures.drawings.feature_maps import busiest, stages_of
from trainer.pictures.drawings.grad_cam import cam_layer, grad_cam
from trainer.pictures.layers import (
    features_and_probabilities,
    head_of,
    inner_layers,
    maps_of,
    trace_calls,
)
from trainer.pictures.picture import CannotDraw


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("place", [(0, 0), (10, 4)])
def test_the_heat_lies_on_what_decides(style, place):
    network = colour_finder(style)
    images = np.stack([spot(0, *place), spot(1, *place)]).astype(np.float32)
    heat = grad_cam(network, trace_calls(network, SIZE_PX), images, np.array([1, 0]))
    row, column = place
    inside = np.zeros((SIZE_PX, SIZE_PX), bool)
    inside[row : row + 4, column : column + 4] = True
    assert heat.shape == (2, SIZE_PX, SIZE_PX)
    assert heat[:, inside] == pytest.approx(1)
    assert heat[:, ~inside] == pytest.approx(0)


def test_nothing_speaks_for_a_class_that_is_not_there():
    network = colour_finder("functional")
    images = spot(0, 0, 0)[np.newaxis].astype(np.float32)
    heat = grad_cam(network, trace_calls(network, SIZE_PX), images, np.array([0]))
    assert not heat.any()


@pytest.mark.parametrize("style", STYLES)
def test_features_are_what_the_last_layer_is_given(style):
    network = colour_finder(style)
    images = np.stack([spot(0, 0, 0), spot(1, 5, 5)]).astype(np.float32)
    head = head_of(trace_calls(network, SIZE_PX))
    assert head.call.layer.name == "head"
    features, probabilities = features_and_probabilities(network, head.call, images)
    np.testing.assert_allclose(features, [[0, 1 / 16], [1 / 16, 0]], atol=1e-6)
    np.testing.assert_allclose(probabilities, network(images), atol=1e-6)


@pytest.mark.parametrize("style", STYLES)
def test_the_network_is_left_as_it_was(style):
    network = colour_finder(style)
    images = spot(0, 0, 0)[np.newaxis].astype(np.float32)
    before = np.asarray(network(images))
    grad_cam(network, trace_calls(network, SIZE_PX), images, np.array([1]))
    assert not any("call" in vars(layer) for layer in inner_layers(network))
    np.testing.assert_array_equal(before, network(images))


def test_it_is_left_as_it_was_after_an_error_too():
    network = colour_finder("functional")
    with pytest.raises(Exception, match="shape"):
        features_and_probabilities(
            network, head_of(trace_calls(network, SIZE_PX)).call, np.zeros((1, 3, 3, 5), np.float32)
        )
    assert not any("call" in vars(layer) for layer in inner_layers(network))


def test_a_shared_layer_is_looked_at_where_it_is_called_last():
    inputs = keras.Input((SIZE_PX, SIZE_PX, 3))
    shared = layers.Conv2D(3, 1, name="shared")
    outputs = layers.Dense(2, activation="softmax")(
        layers.GlobalAveragePooling2D()(shared(shared(inputs)))
    )
    network = keras.Model(inputs, outputs)
    found = trace_calls(network, SIZE_PX)
    assert (cam_layer(found).call.layer.name, cam_layer(found).call.number) == ("shared", 1)
    images = spot(0, 0, 0)[np.newaxis].astype(np.float32)
    assert grad_cam(network, found, images, np.array([1])).shape == (1, SIZE_PX, SIZE_PX)


def test_pooling_is_passed_over_and_every_size_is_a_stage():
    network = keras.Sequential(
        [
            keras.Input((SIZE_PX, SIZE_PX, 3)),
            layers.Conv2D(2, 3, padding="same", name="first"),
            layers.ReLU(name="first_relu"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(4, 3, padding="same", name="second"),
            layers.MaxPooling2D(name="last_pool"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    maps = maps_of(trace_calls(network, SIZE_PX))
    assert [stage.call.layer.name for stage in stages_of(maps)] == ["first_relu", "second"]


@pytest.mark.parametrize(("stages", "shown"), [(3, 3), (13, 1)])
def test_stages_of_one_size_are_shown_each_by_its_name_while_they_fit(stages, shown):
    convolutions = [layers.Conv2D(2, 3, padding="same", name=f"stage_{n}") for n in range(stages)]
    network = keras.Sequential([keras.Input((SIZE_PX, SIZE_PX, 3)), *convolutions])
    maps = maps_of(trace_calls(network, SIZE_PX))
    names = [stage.call.layer.name for stage in stages_of(maps)]
    assert names == [f"stage_{n}" for n in range(stages)][-shown:]


def test_a_model_without_maps_has_no_place_for_grad_cam():
    network = keras.Sequential(
        [keras.Input((SIZE_PX, SIZE_PX, 3)), layers.Flatten(), layers.Dense(2)]
    )
    with pytest.raises(CannotDraw, match="no layer of the model gives a map"):
        cam_layer(trace_calls(network, SIZE_PX))


def test_the_busiest_channels_come_first():
    maps = np.zeros((2, 4, 4, 3), np.float32)
    maps[:, 0, 0, 1] = 5
    maps[:, 0, 0, 2] = 9
    assert busiest(maps, 2).tolist() == [2, 1]
