"""What pictures are drawn from: predictions, and images by their place."""

import numpy as np

from tests.trainer.pictures.conftest import SIZE_PX, colour_finder, some, trained, write_dataset
from trainer.pictures import picture_data
from trainer.pictures.picture_data import PictureData


def test_the_worst_error_comes_first_and_the_least_sure_after_it(spots):
    found = PictureData(trained(colour_finder("functional")), spots, images=some(4), seed=0)
    assert found.hardest[0] == 5
    predictions = found.validation
    assert (predictions.predicted != predictions.truth).nonzero()[0].tolist() == [5]
    rest = predictions.scores[found.hardest[1:]]
    assert rest.tolist() == sorted(predictions.scores[np.arange(12) != 5])[:3]


def test_images_are_found_by_their_position(spots):
    found = PictureData(trained(colour_finder("functional")), spots, images=some(4), seed=0)
    every = found.pixels("validation", range(12))
    np.testing.assert_array_equal(found.pixels("validation", [7, 2]), every[[7, 2]])


def test_of_many_images_some_are_looked_at_and_the_picture_says_so(spots, monkeypatch):
    monkeypatch.setattr(picture_data, "MOST_TRAINING_IMAGES", 7)
    found = PictureData(trained(colour_finder("functional")), spots, images=some(4), seed=0)
    assert found.training.count_text("training") == "7 of 20 training images"
    assert len(found.training.features) == 7
    assert found.validation.count_text("validation") == "12 validation images"


def test_the_images_that_are_looked_at_are_a_random_sample_by_the_seed(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    noise = [(rng.integers(0, 256, (SIZE_PX, SIZE_PX, 3), dtype=np.uint8), 0) for _ in range(20)]
    dataset = write_dataset(tmp_path, {"train": noise})
    every = PictureData(trained(colour_finder("functional")), dataset, some(4), seed=0)
    images = {one.tobytes(): place for place, one in enumerate(every.pixels("train", range(20)))}
    monkeypatch.setattr(picture_data, "MOST_TRAINING_IMAGES", 7)

    def places(seed: int) -> list[int]:
        found = PictureData(trained(colour_finder("functional")), dataset, some(4), seed)
        return [images[one.tobytes()] for one in found.pixels("train", range(7))]

    assert places(0) == places(0) != places(1)
    assert places(0) == sorted(places(0))
    assert max(places(0) + places(1)) > 6
