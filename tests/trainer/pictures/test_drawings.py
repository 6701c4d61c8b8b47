"""Single pictures: what they compute, and that their text fits."""

import itertools

import numpy as np
import pytest

from contracts.config.trainer.model_options import ConvNeXtOptions
from tests.trainer.pictures.conftest import SIZE_PX, some, trained, write_dataset
from trainer.models import convnext
from trainer.pictures.drawings.confusion_matrix import confusion, draw, most_confused
from trainer.pictures.drawings.nearest_training_images import nearest
from trainer.pictures.picture import styled
from trainer.pictures.picture_data import PictureData, SplitPredictions


def test_the_nearest_image_of_a_copied_one_is_that_one(tmp_path):
    rng = np.random.default_rng(1)
    images = [(rng.integers(0, 256, (SIZE_PX, SIZE_PX, 3), dtype=np.uint8), 0) for _ in range(40)]
    dataset = write_dataset(
        tmp_path, {"train": images, "validation": [images[33], images[4], images[21]]}
    )
    options = ConvNeXtOptions(depths=[1], widths=[8])
    network = convnext.build_convnext("convnext_atto", options, SIZE_PX, 2)
    found = PictureData(trained(network), dataset, images=some(3), seed=0)
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
    """Data of so many classes."""

    def __init__(self, classes: int, images: int) -> None:
        rng = np.random.default_rng(0)
        self.labels = [f"a rather long class name {number}" for number in range(classes)]
        truth = rng.integers(0, classes, images)
        probabilities = np.full((images, classes), 0.1 / classes, np.float32)
        said = np.where(rng.random(images) < 0.7, truth, rng.integers(0, classes, images))
        probabilities[np.arange(images), said] = 0.9
        self.validation = SplitPredictions(truth, np.zeros((images, 1)), probabilities, images)


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
