"""A model answers with label and probabilities for image files as they are."""

import math

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from contracts.images.canonical import canonicalise
from serving import predictor
from serving.predictor import Predictor
from tests.conftest import encoded


@pytest.fixture(scope="module")
def loaded(model) -> Predictor:
    return Predictor(model)


def grey(value: int, mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", (40, 30), (value,) * 3).convert(mode)


def deep_png(value: int) -> bytes:
    return encoded(np.full((20, 30), value * 257, np.uint16))


def is_bright(value: float) -> float:
    """Return the probability of "bright" for a picture of one grey."""
    return 1 / (1 + math.exp((128 - value) / 16))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
@pytest.mark.parametrize(("value", "label"), [(180, "bright"), (100, "dark")])
def test_a_raw_file_has_a_label_and_a_probability_for_every_class(
    loaded, image_format, value, label
):
    (prediction,) = loaded.predict([encoded(grey(value), image_format)])
    assert prediction.label == label
    assert prediction.score == max(prediction.probabilities.values())
    assert prediction.probabilities == pytest.approx(
        {"bright": is_bright(value), "dark": 1 - is_bright(value)}, abs=1e-4
    )


KINDS = {
    "JPEG, RGB": encoded(grey(180), "JPEG"),
    "JPEG, grey": encoded(grey(100, "L"), "JPEG"),
    "PNG, RGB": encoded(grey(90)),
    "PNG, palette": encoded(grey(140, "P")),
    "PNG, 16 bits": deep_png(170),
    "PNG, transparent": encoded(Image.new("RGBA", (10, 10), (0, 0, 0, 0))),  # laid on white
}


def test_files_of_mixed_kinds_in_a_batch_are_answered_one_by_one_and_in_order(loaded):
    together = loaded.predict(list(KINDS.values()))
    expected = [180, 100, 90, 140, 170, 255]
    for kind, one, value in zip(KINDS, together, expected, strict=True):
        assert one.probabilities["bright"] == pytest.approx(is_bright(value), abs=0.01), kind


def test_the_answers_are_those_to_what_training_sees(loaded):
    canonical = [canonicalise(raw).encoded for raw in KINDS.values()]
    for kind, raw, seen in zip(
        KINDS, loaded.predict(list(KINDS.values())), loaded.predict(canonical), strict=True
    ):
        assert raw.probabilities == pytest.approx(seen.probabilities, abs=1e-6), kind


def test_more_images_than_a_step_takes_are_all_answered(loaded, monkeypatch):
    monkeypatch.setattr(predictor, "IMAGES_A_STEP", 2)
    values = [60, 90, 120, 150, 180]
    answers = loaded.predict([encoded(grey(value)) for value in values])
    bright = [one.probabilities["bright"] for one in answers]
    assert bright == pytest.approx([is_bright(value) for value in values], abs=1e-4)


def test_no_image_has_no_answer(loaded):
    assert loaded.predict([]) == []


@pytest.mark.parametrize("raw", [b"", b"no image", encoded(grey(180), "JPEG")[:200]])
def test_a_raw_file_that_is_no_whole_image_is_refused(loaded, raw):
    with pytest.raises(tf.errors.InvalidArgumentError):
        loaded.predict([encoded(grey(100)), raw])
