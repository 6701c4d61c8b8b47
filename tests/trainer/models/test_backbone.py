"""The models of keras.applications: all of them by name, with their own preprocessing."""

import inspect

import keras
import numpy as np
import pytest

from contracts.config.trainer.config import TrainerConfig
from contracts.config.trainer.keras_applications import SMALLEST_PX
from contracts.system.errors import ConfigError
from trainer.models import build_model
from trainer.models.backbone import ApplicationPreprocessing, application_builder


def installed() -> set[str]:
    return {
        name
        for name, builder in inspect.getmembers(keras.applications, inspect.isfunction)
        if "include_top" in inspect.signature(builder).parameters
    }


def test_the_list_is_that_of_the_installed_keras():
    # Either line of Keras may have models that the other has not.
    assert installed() <= set(SMALLEST_PX)
    assert len(set(SMALLEST_PX) - installed()) <= 5


# What each makes of pixels, by the beginning of its name: the longest one counts.
KINDS = {
    "ConvNeXt": "none",
    "DenseNet": "torch",
    "EfficientNet": "none",
    "Inception": "tf",
    "MobileNet": "tf",
    "MobileNetV3": "none",
    "NASNet": "tf",
    "ResNet": "caffe",
    "ResNet50V2": "tf",
    "ResNet101V2": "tf",
    "ResNet152V2": "tf",
    "VGG": "caffe",
    "Xception": "tf",
}
EXPECTED = {
    "none": lambda pixels: pixels,
    "tf": lambda pixels: pixels / 127.5 - 1,
    "torch": lambda pixels: (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    "caffe": lambda pixels: pixels[..., ::-1] - [103.939, 116.779, 123.68],
}


@pytest.mark.parametrize("name", SMALLEST_PX)
def test_every_name_has_a_builder_and_its_own_preprocessing(name):
    if name not in installed():
        pytest.skip(f"Keras {keras.__version__} has no {name}")
    assert application_builder(name) is getattr(keras.applications, name)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 5, 5, 3)).astype(np.float32)
    kind = KINDS[max((begin for begin in KINDS if name.startswith(begin)), key=len)]
    given = ApplicationPreprocessing(name)(pixels)
    np.testing.assert_allclose(given, EXPECTED[kind](pixels), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("MobileNetV2", keras.applications.mobilenet_v2),
        ("ResNet50", keras.applications.resnet),
        ("DenseNet121", keras.applications.densenet),
        ("MobileNetV3Small", keras.applications.mobilenet_v3),
    ],
    ids=["tf", "caffe", "torch", "none"],
)
def test_each_kind_of_preprocessing_is_keras_own_in_a_model_too(name, module):
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 5, 5, 3)).astype(np.float32)
    inputs = keras.Input((5, 5, 3))
    model = keras.Model(inputs, ApplicationPreprocessing(name)(inputs))
    expected = module.preprocess_input(pixels.copy())
    np.testing.assert_allclose(model.predict(pixels, verbose=0), expected, atol=1e-4)


@pytest.mark.usefixtures("shapes_only")
@pytest.mark.parametrize("name", ["MobileNetV3Small", "EfficientNetB0"])
def test_without_preprocessing_of_its_own_the_model_has_it_inside(name):
    layers = build_model(TrainerConfig(model=name), 32, 4).layers
    assert any(isinstance(layer, keras.layers.Rescaling) for layer in layers)


@pytest.mark.usefixtures("shapes_only")
@pytest.mark.parametrize("name", ["Xception", "InceptionV3", "ResNet50V2", "NASNetMobile"])
def test_the_smallest_sizes_are_those_of_keras(name):
    builder = getattr(keras.applications, name)
    smallest = SMALLEST_PX[name]
    assert builder(weights=None, include_top=False, input_shape=(smallest, smallest, 3)).built
    with pytest.raises(ValueError, match=f"at least {smallest}"):
        builder(weights=None, include_top=False, input_shape=(smallest - 1, smallest, 3))
    with pytest.raises(ConfigError, match=rf"image_size_px: expected an integer >= {smallest}, "):
        build_model(TrainerConfig(model=name), smallest - 1, 3)


@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50"])
def test_it_is_the_application_behind_its_own_preprocessing(name):
    keras.utils.set_random_seed(0)
    ours = build_model(TrainerConfig(model=name), 32, 4)
    theirs = getattr(keras.applications, name)(
        weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3)
    )
    theirs.set_weights(ours.get_weights()[:-2])
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    module = inspect.getmodule(getattr(keras.applications, name))
    features = theirs(module.preprocess_input(pixels.copy()))
    kernel, bias = ours.get_weights()[-2:]
    expected = keras.ops.softmax(keras.ops.matmul(features, kernel) + bias)
    np.testing.assert_allclose(ours(pixels), expected, atol=1e-5)


@pytest.mark.usefixtures("shapes_only")
def test_options_reach_the_backbone_and_the_head():
    options = {"pooling": "max", "head_dropout": 0.4, "arguments": {"alpha": 0.35}}
    model = build_model(TrainerConfig(model="MobileNetV2", model_options=options), 32, 4)
    assert isinstance(model.get_layer("head_pool"), keras.layers.GlobalMaxPooling2D)
    assert model.get_layer("head_dropout").rate == 0.4
    assert model.get_layer("Conv1").filters == 16  # 32 at alpha 1


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        (
            "MobileNet",
            {"alfa": 1},
            "expected one of alpha, depth_multiplier, dropout, received alfa",
        ),
        ("ResNet50", {"weights": "x"}, "expected none, ResNet50 has no others, received weights"),
        ("MobileNet", {"depth_multiplier": "x"}, "Keras refuses to build MobileNet: "),
    ],
)
def test_arguments_that_an_application_has_not(name, arguments, problem):
    config = TrainerConfig(model=name, model_options={"arguments": arguments})
    with pytest.raises(ConfigError, match=problem):
        build_model(config, 32, 4)


def test_an_application_that_this_keras_has_not(monkeypatch):
    monkeypatch.delattr(keras.applications, "VGG16")
    with pytest.raises(ConfigError, match=r"which has no VGG16\. Take another one"):
        build_model(TrainerConfig(model="VGG16"), 32, 4)


def test_a_saved_backbone_can_be_read_back(tmp_path):
    options = {"arguments": {"alpha": 0.35}}
    model = build_model(TrainerConfig(model="MobileNetV2", model_options=options), 32, 2)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    pixels = np.full((1, 32, 32, 3), 99, np.float32)
    np.testing.assert_allclose(again(pixels), model(pixels), rtol=1e-5)
