"""Each picture is there and says something true; what cannot be drawn is named with a reason."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from contracts.config.explanation import ExplainedImages
from contracts.config.trainer.model_options import ConvNeXtOptions
from contracts.images.canonical import canonicalise
from tests.trainer.pictures.conftest import (
    SIZE_PX,
    colour_finder,
    some,
    spot,
    trained,
    write_dataset,
)
from trainer.models import convnext
from trainer.pictures import draw_pictures
from trainer.pictures.drawings import filters
from trainer.pictures.picture import fitted
from trainer.pictures.picture_data import PictureData
from trainer.preprocessing import decode_and_resize

NAMES = [
    "learning_curves",
    "confusion_matrix",
    "sample_predictions",
    "filters",
    "feature_maps",
    "grad_cam",
    "nearest_training_images",
]


def left_out(folder: Path) -> dict[str, str]:
    """Return the reasons by the names of the pictures."""
    content = json.loads((folder / "pictures.json").read_text())
    return {one["name"]: one["reason"] for one in content["left_out"]}


@pytest.mark.parametrize("style", ["nested", "subclassed"])
def test_every_picture_of_every_style_of_model(style, spots, tmp_path):
    drawn = draw_pictures(trained(colour_finder(style)), spots, tmp_path, images=some(3))
    assert left_out(tmp_path) == {}
    assert [picture.name for picture in drawn] == NAMES
    for picture in drawn:
        with Image.open(tmp_path / picture.file) as image:
            pixels = np.asarray(image.convert("RGB"))
        assert pixels.shape[1] > 300
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10
        assert picture.caption.endswith(".")
    written = json.loads((tmp_path / "pictures.json").read_text())["pictures"]
    assert [one["file"] for one in written] == [picture.file for picture in drawn]


def test_the_search_for_a_learning_rate_is_drawn_where_there_was_one(spots, tmp_path):
    tried = {"rates": [1e-4, 1e-3, 1e-2, 1e-1], "losses": [2.0, 1.5, 1.0, 3.0]}
    searched = replace(trained(colour_finder("functional")), rates_tried=tried)
    drawn = draw_pictures(searched, spots, tmp_path, images=some(2))
    assert [picture.name for picture in drawn] == [*NAMES, "learning_rate_trial"]
    with Image.open(tmp_path / "learning_rate_trial.png") as image:
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 10


def test_the_same_model_gives_the_same_pictures(spots, tmp_path):
    network = colour_finder("functional")
    for name in ("one", "two"):
        draw_pictures(trained(network), spots, tmp_path / name, images=some(3))
    for picture in (tmp_path / "one").iterdir():
        assert picture.read_bytes() == (tmp_path / "two" / picture.name).read_bytes()


def test_a_convnext_has_every_picture(spots, tmp_path):
    options = ConvNeXtOptions(depths=[1, 1], widths=[4, 8])
    network = convnext.build_convnext("convnext_atto", options, SIZE_PX, 2)
    draw_pictures(trained(network), spots, tmp_path, images=some(2))
    assert left_out(tmp_path) == {}


def test_a_model_without_convolutions_has_the_others(spots, tmp_path):
    network = keras.Sequential(
        [
            keras.Input((SIZE_PX, SIZE_PX, 3)),
            layers.Flatten(),
            layers.Dense(4, activation="relu"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    drawn = draw_pictures(trained(network), spots, tmp_path, images=some(2))
    missing = {"filters", "feature_maps", "grad_cam"}
    assert {picture.name for picture in drawn} == set(NAMES) - missing
    assert set(left_out(tmp_path)) == missing
    assert left_out(tmp_path)["filters"] == "no layer of the model is a convolution over images."
    assert not (tmp_path / "filters.png").exists()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function is TensorFlow's")
def test_a_model_that_is_a_graph_has_every_picture_and_is_a_graph_again(spots, tmp_path):
    import tensorflow as tf

    class Graph(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.finder = colour_finder("functional")

        @tf.function
        def call(self, inputs):
            return self.finder(inputs)

    draw_pictures(trained(Graph()), spots, tmp_path, images=some(2))
    assert left_out(tmp_path) == {}
    assert not tf.config.functions_run_eagerly()


def test_a_head_that_cannot_be_seen_costs_the_neighbours_alone(spots, tmp_path):
    class OwnWeights(keras.Model):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(3, 2), name="kernel")

        def call(self, inputs):
            return keras.ops.softmax(keras.ops.mean(inputs, axis=(1, 2)) @ self.kernel)

    drawn = draw_pictures(trained(OwnWeights()), spots, tmp_path, images=some(2))
    assert [picture.name for picture in drawn] == NAMES[:3]
    reason = "no layer of the model has weights and takes one tensor."
    assert left_out(tmp_path)["nearest_training_images"] == reason


def test_without_a_validation_split_the_reason_is_named(spots, tmp_path):
    dataset = write_dataset(tmp_path / "data", {"train": [(spot(0, 0, 0), 1)]})
    drawn = draw_pictures(trained(colour_finder("functional")), dataset, tmp_path / "pictures")
    assert {picture.name for picture in drawn} == {"learning_curves", "filters"}
    assert left_out(tmp_path / "pictures")["grad_cam"] == "there are no validation images."


def test_a_model_that_breaks_costs_the_pictures_that_need_it(spots, tmp_path, caplog):
    class Breaks(keras.Model):
        def call(self, inputs):
            raise RuntimeError("not today")

    drawn = draw_pictures(trained(Breaks()), spots, tmp_path)
    assert [picture.name for picture in drawn] == ["learning_curves"]
    assert "RuntimeError: " in left_out(tmp_path)["grad_cam"]
    assert "not today" in caplog.text


def test_a_folder_that_cannot_be_written_is_an_error(spots, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        draw_pictures(trained(colour_finder("functional")), spots, tmp_path / "file")


@pytest.mark.parametrize(("channels", "tiles"), [(3, 5), (1, 5), (4, 20)])
def test_filters_in_colour_or_channel_by_channel(channels, tiles):
    kernel = np.random.default_rng(0).normal(size=(5, 5, channels, 5)).astype(np.float32)
    made = filters._tiles(kernel)
    assert len(made) == tiles
    assert made[0].shape == ((5, 5, 3) if channels == 3 else (5, 5))
    assert min(tile.min() for tile in made) >= 0
    assert max(abs(tile - 0.5).max() for tile in made) == pytest.approx(0.5)


def test_a_first_layer_on_other_than_three_channels(tmp_path, spots):
    inputs = keras.Input((SIZE_PX, SIZE_PX, 3))
    grey = layers.Lambda(lambda x: keras.ops.mean(x, axis=-1, keepdims=True))(inputs)
    maps = layers.DepthwiseConv2D(3, depth_multiplier=4, name="strokes")(grey)
    outputs = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(maps))
    drawn = draw_pictures(trained(keras.Model(inputs, outputs)), spots, tmp_path, images=some(2))
    assert [picture.name for picture in drawn] == NAMES


def test_feature_maps_of_chosen_images_are_drawn_too(tmp_path, spots, write_image):
    network, files = colour_finder("functional"), (write_image(tmp_path / "a.jpg", size=(60, 40)),)
    images = ExplainedImages(count=2, chosen=files)
    draw_pictures(trained(network), spots, tmp_path / "without", images=some(2))
    draw_pictures(trained(network), spots, tmp_path / "with", images=images)
    heights = {}
    for name in ("without", "with"):
        with Image.open(tmp_path / name / "feature_maps.png") as picture:
            heights[name] = picture.height
    assert heights["with"] > heights["without"]
    (pixels,) = PictureData(trained(network), spots, images, seed=0).users_images()
    encoded = canonicalise(files[0].read_bytes()).encoded
    np.testing.assert_array_equal(pixels, decode_and_resize(encoded, spots.preprocessing))


def test_a_chosen_image_that_cannot_be_read_costs_the_feature_maps_alone(tmp_path, spots):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    images = ExplainedImages(count=2, chosen=(tmp_path / "a.jpg",))
    drawn = draw_pictures(trained(colour_finder("functional")), spots, tmp_path, images=images)
    assert {picture.name for picture in drawn} == set(NAMES) - {"feature_maps"}
    reason = left_out(tmp_path)["feature_maps"]
    assert reason.startswith("explanation.images.chosen[0]: expected an image, received ")
    assert "a.jpg" in reason


def test_without_tensorflow_chosen_images_cost_the_feature_maps_and_none_cost_nothing(
    tmp_path, spots, write_image, monkeypatch
):
    network = trained(colour_finder("functional"))
    monkeypatch.setitem(sys.modules, "trainer.preprocessing", None)
    draw_pictures(network, spots, tmp_path / "none", images=some(2))
    assert left_out(tmp_path / "none") == {}
    images = ExplainedImages(count=2, chosen=(write_image(tmp_path / "a.jpg"),))
    draw_pictures(network, spots, tmp_path / "some", images=images)
    reasons = left_out(tmp_path / "some")
    assert list(reasons) == ["feature_maps"]
    assert "explanation.images.chosen: expected TensorFlow" in reasons["feature_maps"]


def test_class_names_may_hold_anything(tmp_path, spots):
    named = replace(spots, labels=("a$b_{$ \\frac" + "x" * 80, "ü & <b>"))
    draw_pictures(trained(colour_finder("functional")), named, tmp_path, images=some(2))
    assert left_out(tmp_path) == {}


def test_a_long_class_name_is_cut_between_what_stands_around_it():
    assert fitted("is ", "cat", "", 1.0) == "is cat"
    cut = fitted("is ", "a very long class name 17", " 0.50", 1.4)
    assert cut == "is a very…17 0.50"
    assert len(cut) <= int(1.4 / 0.079)
