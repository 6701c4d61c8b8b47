"""Weights to begin with: they arrive, a head for other classes stays behind, misfits are named."""

import logging
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import keras
import numpy as np
import pytest

from contracts.config.trainer.config import TrainerConfig
from contracts.system.errors import ConfigError
from trainer.models import build_model

CNN = {"filters": [4, 5], "dense_units": 3}


def cnn(weights: Path | str | None = None, classes: int = 2, **options: object) -> keras.Model:
    config = TrainerConfig(model_options=CNN | options, weights=weights and str(weights))
    return build_model(config, 16, classes)


@pytest.fixture(scope="module", params=["first.weights.h5", "first.keras"])
def saved(request, tmp_path_factory) -> tuple[keras.Model, Path]:
    """Return a trained network and the file that it was saved to."""
    network, file = cnn(), tmp_path_factory.mktemp("saved") / request.param
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    noise = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype(np.float32)
    network.fit(noise, np.eye(2)[[0, 1] * 2], verbose=0)
    network.save(file) if file.suffix == ".keras" else network.save_weights(file)
    return network, file


def assert_equal_weights(one: keras.Model, other: keras.Model, but: tuple[str, ...] = ()) -> None:
    for weight, expected in zip(one.weights, other.weights, strict=True):
        if weight.path.partition("/")[0] in but:
            assert weight.shape != expected.shape
        else:
            np.testing.assert_array_equal(weight, expected)


def test_the_weights_of_a_file(saved, caplog):
    network, file = saved
    with caplog.at_level(logging.INFO):
        assert_equal_weights(cnn(file), network)
    assert f"all of cnn begins with the weights of {file}" in caplog.text


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_head_for_other_classes_begins_anew(saved, caplog):
    network, file = saved
    again = cnn(file, classes=7)
    path = "probabilities/bias"
    assert_equal_weights(again, network, but=("probabilities",))
    assert path in [weight.path for weight in again.weights]
    assert f"trainer.weights: {file} was trained for other classes; all of cnn but " in caplog.text
    assert "but probabilities begins with its weights" in caplog.text


def test_a_file_of_another_network_is_refused_with_the_first_differences(saved):
    _, file = saved
    with pytest.raises(ConfigError) as raised:
        cnn(file, filters=[4, 6, 7])
    assert str(raised.value) == (
        f"trainer.weights: {file}: expected weights of cnn, received others: stage_1_conv has "
        "3x3x4x5 there and 3x3x4x6 here, stage_1_norm has 5, 5, 5, 5 there and 6, 6, 6, 6 here, "
        "stage_2_conv has nothing there and 3x3x6x7 here and 2 more. trainer.model and "
        "trainer.model_options have to be those that it was saved with."
    )


def test_a_stem_of_another_size_is_told_how_to_fit(tmp_path):
    options = {"depths": [1], "widths": [4]}
    config = TrainerConfig(model="convnext_atto", model_options=options)
    file = tmp_path / "first.weights.h5"
    build_model(config, 128, 2).save_weights(file)
    other = config.model_copy(update={"weights": str(file)})
    with pytest.raises(ConfigError, match=r"stem_conv has 4x4x3x4, 4 there and 2x2x3x4, 4 here"):
        build_model(other, 64, 2)
    with pytest.raises(ConfigError, match=r"Set trainer\.model_options\.stem_patch_px to 4\."):
        build_model(other, 64, 2)
    fitting = other.model_copy(update={"model_options": {**options, "stem_patch_px": 4}})
    assert build_model(fitting, 64, 2).get_layer("stem_conv").kernel_size == (4, 4)


@pytest.mark.parametrize("name", ["x.weights.h5", "x.keras"])
def test_a_file_that_holds_no_weights(tmp_path, name):
    (tmp_path / name).write_bytes(b"no weights")
    with pytest.raises(ConfigError, match=f"{name}: expected a file of weights of Keras 3, "):
        cnn(tmp_path / name)


@pytest.fixture
def download(monkeypatch, tmp_path) -> Callable[[Callable[[str], None]], None]:
    """Return `download(get)`: Keras's cache is empty, and `get(path)` stands for the network."""

    def stands_for(get: Callable[[str], None]) -> None:
        monkeypatch.setattr(
            "keras.src.utils.file_utils.urlretrieve", lambda url, path, report: get(path)
        )
        monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))

    return stands_for


@pytest.mark.parametrize(
    ("model", "application", "error"),
    [
        ("MobileNetV2", "MobileNetV2", URLError("Name or service not known")),
        ("convnext_tiny", "ConvNeXtTiny", OSError("Name or service not known")),
    ],
)
def test_without_a_network_a_sentence_says_what_to_do(download, model, application, error):
    def fail(path: str) -> None:
        raise error

    download(fail)
    config = TrainerConfig(model=model, weights="imagenet")
    with pytest.raises(ConfigError) as raised:
        build_model(config, 32, 2)
    (problem,) = raised.value.problems
    assert problem.startswith(f"trainer.weights: expected ImageNet weights of {application} to be ")
    assert "Name or service not known" in problem
    assert "Connect this machine to the network" in problem


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("MobileNet", "file signature not found"),  # has no checksum
        ("MobileNetV3Small", "Incomplete or corrupted file detected"),
    ],
)
def test_a_damaged_download_is_a_sentence_with_the_next_step(download, model, reason):
    def get(path: str) -> None:
        Path(path).write_bytes(b"<html>Please log in</html>")

    download(get)
    with pytest.raises(ConfigError) as raised:
        build_model(TrainerConfig(model=model, weights="imagenet"), 32, 2)
    (problem,) = raised.value.problems
    assert problem.startswith(
        f"trainer.weights: expected the whole file of ImageNet weights of {model}, received a "
        "damaged one ("
    )
    assert reason in problem
    assert problem.endswith("Delete it from the cache of Keras (~/.keras/models) and run again.")


def test_imagenet_weights_of_a_convnext_are_those_of_keras(monkeypatch):
    made = []
    original = keras.applications.ConvNeXtTiny

    def downloaded(**arguments):
        assert arguments.pop("weights") == "imagenet"
        assert arguments["include_top"] is False
        model = original(weights=None, **arguments)
        model.layers[-1].gamma.assign(np.arange(768.0))
        made.append(model)
        return model

    downloaded.__module__ = original.__module__
    monkeypatch.setattr(keras.applications, "ConvNeXtTiny", downloaded)
    ours = build_model(TrainerConfig(model="convnext_tiny", weights="imagenet"), 32, 2)
    assert ours.get_layer("stem_conv").kernel_size == (4, 4)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    features = keras.Model(ours.input, ours.get_layer("head_norm").output)
    np.testing.assert_allclose(features(pixels), made[0](pixels), rtol=1e-3, atol=1e-3)


def test_imagenet_weights_reach_keras_applications(monkeypatch):
    original, asked = keras.applications.MobileNetV2, []

    def downloaded(**arguments):
        asked.append(arguments.pop("weights"))
        return original(weights=None, **arguments)

    downloaded.__module__ = original.__module__
    monkeypatch.setattr(keras.applications, "MobileNetV2", downloaded)
    options = {"arguments": {}}
    for weights in (None, "imagenet"):
        config = TrainerConfig(model="MobileNetV2", model_options=options, weights=weights)
        build_model(config, 32, 2)
    assert asked == [None, "imagenet"]
