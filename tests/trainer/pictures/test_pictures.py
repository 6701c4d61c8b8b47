"""Each picture is there and says something true; what cannot be drawn is named with a reason."""

import itertools
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
    spot,
    trained,
    write_dataset,
)
from trainer.models import convnext
from trainer.pictures import draw_pictures, filters, picture_data
from trainer.pictures.confusion_matrix import confusion, draw, most_confused
from trainer.pictures.nearest_training_images import nearest
from trainer.pictures.picture import fitted, styled
from trainer.pictures.picture_data import Evidence, Judged
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


def some(count: int) -> ExplainedImages:
    """Return so many images of the data."""
    return ExplainedImages(count=count)


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


def test_the_worst_error_comes_first_and_the_least_sure_after_it(spots):
    found = Evidence(trained(colour_finder("functional")), spots, images=some(4), seed=0)
    assert found.hardest[0] == 5
    judged = found.validation
    assert (judged.predicted != judged.truth).nonzero()[0].tolist() == [5]
    rest = judged.scores[found.hardest[1:]]
    assert rest.tolist() == sorted(judged.scores[np.arange(12) != 5])[:3]


def test_images_are_found_by_their_position(spots):
    found = Evidence(trained(colour_finder("functional")), spots, images=some(4), seed=0)
    every = found.pixels("validation", range(12))
    np.testing.assert_array_equal(found.pixels("validation", [7, 2]), every[[7, 2]])


def test_of_many_images_some_are_looked_at_and_the_picture_says_so(spots, monkeypatch):
    monkeypatch.setattr(picture_data, "MOST_TRAINING_IMAGES", 7)
    found = Evidence(trained(colour_finder("functional")), spots, images=some(4), seed=0)
    assert found.training.words("training") == "7 of 20 training images"
    assert len(found.training.features) == 7
    assert found.validation.words("validation") == "12 validation images"


def test_the_images_that_are_looked_at_are_a_random_sample_by_the_seed(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    noise = [(rng.integers(0, 256, (SIZE_PX, SIZE_PX, 3), dtype=np.uint8), 0) for _ in range(20)]
    dataset = write_dataset(tmp_path, {"train": noise})
    every = Evidence(trained(colour_finder("functional")), dataset, some(4), seed=0)
    images = {one.tobytes(): place for place, one in enumerate(every.pixels("train", range(20)))}
    monkeypatch.setattr(picture_data, "MOST_TRAINING_IMAGES", 7)

    def places(seed: int) -> list[int]:
        found = Evidence(trained(colour_finder("functional")), dataset, some(4), seed)
        return [images[one.tobytes()] for one in found.pixels("train", range(7))]

    assert places(0) == places(0) != places(1)
    assert places(0) == sorted(places(0))
    assert max(places(0) + places(1)) > 6


def test_the_nearest_image_of_a_copied_one_is_that_one(tmp_path):
    rng = np.random.default_rng(1)
    images = [(rng.integers(0, 256, (SIZE_PX, SIZE_PX, 3), dtype=np.uint8), 0) for _ in range(40)]
    dataset = write_dataset(
        tmp_path, {"train": images, "validation": [images[33], images[4], images[21]]}
    )
    options = ConvNeXtOptions(depths=[1], widths=[8])
    network = convnext.build_convnext("convnext_atto", options, SIZE_PX, 2)
    found = Evidence(trained(network), dataset, images=some(3), seed=0)
    near, alike = nearest(found.validation.features, found.training.features, 5)
    assert near[:, 0].tolist() == [33, 4, 21]
    assert alike[:, 0] == pytest.approx(1, abs=1e-5)
    assert (np.diff(alike, axis=1) <= 0).all()


def test_fewer_training_images_than_neighbours():
    near, alike = nearest(np.ones((2, 3), np.float32), np.ones((1, 3), np.float32), 6)
    assert near.tolist() == [[0], [0]]
    assert alike.shape == (2, 1)


def test_a_confusion_matrix_counts():
    truth, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 0, 2])
    counts = confusion(truth, predicted, 4)
    assert counts.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [2, 0, 1, 0], [0, 0, 0, 0]]
    assert most_confused(counts, 5) == [(2, 0, 2), (0, 1, 1)]
    assert most_confused(counts, 1) == [(2, 0, 2)]


class Many:
    """Evidence of so many classes."""

    def __init__(self, classes: int, images: int) -> None:
        rng = np.random.default_rng(0)
        self.labels = [f"a rather long class name {number}" for number in range(classes)]
        truth = rng.integers(0, classes, images)
        probabilities = np.full((images, classes), 0.1 / classes, np.float32)
        said = np.where(rng.random(images) < 0.7, truth, rng.integers(0, classes, images))
        probabilities[np.arange(images), said] = 0.9
        self.validation = Judged(truth, np.zeros((images, 1)), probabilities, images)


@pytest.mark.parametrize("classes", [2, 24, 25, 1000])
def test_a_confusion_matrix_of_any_size_has_no_text_outside(classes):
    with styled():
        figure = draw(Many(classes, 3000))
        figure.draw_without_rendering()
        renderer = figure.canvas.get_renderer()
        boxes = [
            label.get_window_extent(renderer)
            for axes in figure.axes
            for label in axes.get_yticklabels()
        ]
        assert min(box.x0 for box in boxes) >= 0
        lines = sorted((box.y0, box.y1) for box in boxes[: min(classes, 20)])
    assert all(one[1] <= next_one[0] + 2 for one, next_one in itertools.pairwise(lines))


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
    (pixels,) = Evidence(trained(network), spots, images, seed=0).chosen_by_the_user()
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
