"""Batches bring every image, in an order that a training can go on in; on any backend."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from contracts.artifacts.image_dataset import ImageDataset
from trainer.batches import in_memory, numpy_feed, tensorflow_feed
from trainer.batches.sampling import Position, Sampling, pass_length, steps_per_epoch


@pytest.fixture(params=["tf.data", "numpy"])
def feed(request):
    """Return the feed of either backend."""
    return tensorflow_feed if request.param == "tf.data" else numpy_feed


@pytest.fixture(params=["held", "read as they come"])
def whether_held(request, monkeypatch) -> None:
    """Let the images lie in memory, or be too many for it."""
    if request.param != "held":
        monkeypatch.setattr(in_memory, "IN_MEMORY_BYTES", 0)


from_either_place = pytest.mark.usefixtures("whether_held")


def drawn(
    feed, dataset: ImageDataset, sampling: Sampling, count: int, first_step: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels and the label indices of the first batches."""
    batches = feed.training_batches(dataset, sampling, Position(first_step), count)
    assert len(batches) == count
    taken = (
        [batches[step] for step in range(count)]
        if isinstance(batches, keras.utils.PyDataset)
        else list(batches.as_numpy_iterator())
    )
    assert len(taken) == count
    for inputs, targets in taken:
        np.testing.assert_array_equal(inputs["targets"], targets)
    pixels = np.concatenate([inputs["pixels"] for inputs, _ in taken])
    return pixels, np.concatenate([targets for _, targets in taken]).argmax(1)


def images(pixels: np.ndarray) -> list[bytes]:
    return [one.tobytes() for one in pixels]


@from_either_place
def test_every_image_is_seen_once_a_pass_in_a_new_order(dataset, feed):
    count = dataset.examples["train"]
    pixels, _ = drawn(feed, dataset, Sampling(count, seed=3), 2)
    assert pixels.dtype == np.uint8
    first, second = images(pixels[:count]), images(pixels[count:])
    assert len(set(first)) == count
    assert sorted(first) == sorted(second)
    assert first != second


@from_either_place
def test_batches_are_full_and_no_image_is_lost_between_two_passes(dataset, feed):
    sampling = Sampling(batch_size=10, seed=3)
    assert steps_per_epoch(dataset, sampling) == 10  # of 96 images
    pixels, _ = drawn(feed, dataset, sampling, 48)
    seen = images(pixels)
    assert len(seen) == 5 * 96
    for start in range(0, len(seen), 96):
        assert len(set(seen[start : start + 96])) == 96


@from_either_place
@pytest.mark.parametrize("balanced", [False, True])
def test_who_goes_on_sees_what_would_have_come(dataset, feed, balanced):
    whole = images(drawn(feed, dataset, Sampling(10, 3, balanced), 25)[0])
    for first_step in (7, 13):
        rest, _ = drawn(feed, dataset, Sampling(10, 3, balanced), 25 - first_step, first_step)
        assert images(rest) == whole[first_step * 10 :]


@from_either_place
def test_each_epoch_begins_where_the_position_stands(dataset, feed):
    position = Position()
    batches = feed.training_batches(dataset, Sampling(8, 3), position, 2)
    firsts = []
    for position.step in (0, 2, 0):
        inputs, _ = batches[0] if feed is numpy_feed else next(batches.as_numpy_iterator())
        firsts.append(inputs["pixels"])
    assert not np.array_equal(firsts[0], firsts[1])
    np.testing.assert_array_equal(firsts[0], firsts[2])


@from_either_place
def test_another_seed_is_another_order(dataset, feed):
    keras.utils.set_random_seed(0)  # which TensorFlow mixes into the seeds of its data sets
    orders = [images(drawn(feed, dataset, Sampling(8, seed), 4)[0]) for seed in (0, 1)]
    assert orders[0] != orders[1]


@from_either_place
def test_balanced_classes_come_equally_often(skewed, feed):
    sampling = Sampling(batch_size=6, seed=0, balanced=True)
    assert pass_length(skewed, sampling) == 24  # of 20 + 4 images, 12 of each class
    pixels, labels = drawn(feed, skewed, sampling, 8)
    for start in (0, 24):
        assert np.bincount(labels[start : start + 24]).tolist() == [12, 12]
    rare = {image for image, label in zip(images(pixels[:24]), labels[:24], strict=True) if label}
    assert len(rare) == 4  # each of them, three times
    common = {one for one, label in zip(images(pixels), labels, strict=True) if not label}
    assert len(common) > 12  # others in the second pass


def test_evaluation_sees_every_image_once(dataset, feed):
    batches = feed.evaluation_batches(dataset, "validation", 10)
    assert len(batches) == 3
    sizes = [len(batches[n][1]) if feed is numpy_feed else None for n in range(3)]
    if feed is tensorflow_feed:
        sizes = [len(targets) for _, targets in batches]
    assert sizes == [10, 10, 4]


@pytest.mark.parametrize("balanced", [False, True])
def test_held_images_come_in_the_same_order_from_both_feeds(dataset, balanced):
    sampling = Sampling(10, 3, balanced)
    ours, others = (drawn(feed, dataset, sampling, 12) for feed in (tensorflow_feed, numpy_feed))
    np.testing.assert_array_equal(ours[0], others[0])
    np.testing.assert_array_equal(ours[1], others[1])


def test_fewer_images_than_the_data_set_says_are_refused(dataset, feed):
    more = {**dataset.label_counts, "train": (48, 49)}
    with pytest.raises(ValueError, match="expected 97 training examples, found 96"):
        feed.training_batches(replace(dataset, label_counts=more), Sampling(8, 3), Position(), 2)


def test_both_feeds_give_the_same_images(dataset):
    for number, (inputs, targets) in enumerate(
        tensorflow_feed.evaluation_batches(dataset, "test", 10)
    ):
        ours, labels = numpy_feed.evaluation_batches(dataset, "test", 10)[number]
        np.testing.assert_array_equal(inputs["pixels"], ours["pixels"])
        np.testing.assert_array_equal(targets, labels)


@pytest.fixture(scope="module")
def skewed(tmp_path_factory) -> ImageDataset:
    """Return 20 images of one class and 4 of another."""
    from tests.trainer.conftest import write_dataset

    return write_dataset(tmp_path_factory.mktemp("skewed"), {"train": (20, 4)})
