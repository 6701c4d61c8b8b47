"""Wrong labels are found where a quick model can tell, and nothing is said where it cannot."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from components.image_validator.checks import mislabelled
from contracts.system.errors import ComponentError
from tests.components.image_validator.conftest import photo

pytest.importorskip("cleanlab")


def test_digits_under_wrong_labels_are_found(make_pictures):
    digits = load_digits()
    rows = []
    for number, (pixels, digit) in enumerate(zip(digits.images[:600], digits.target, strict=False)):
        image = Image.fromarray((pixels * 15).astype(np.uint8)).resize((32, 32), 0)
        label = str((digit + 3) % 10 if number % 60 == 0 else digit)
        rows.append((f"{number:03}.png", label, "train", image))
    pictures = make_pictures(rows)
    found, notes = mislabelled.find_mislabelled(pictures, threshold=0.05, seed=0)
    wrong = {f"{number:03}.png" for number in range(0, 600, 60)}
    assert len(wrong & set(pictures.texts("path", found))) >= 8
    assert len(set(pictures.texts("path", found)) - wrong) <= 3
    assert notes == []


def test_a_model_that_knows_nothing_doubts_nobody(make_pictures):
    rows = [(f"{seed}.png", "ab"[seed % 2], "train", photo(seed, (32, 32))) for seed in range(40)]
    found, notes = mislabelled.find_mislabelled(make_pictures(rows), threshold=0.5, seed=0)
    assert len(found) == 0
    assert "too few (below 70%) to doubt labels" in notes[0]


@pytest.mark.parametrize("images", [10, 12, 13])
def test_few_images_are_judged_all_the_same(make_pictures, images):
    rows = [(f"{n:02}.png", "ab"[n % 2], "train", photo(n, (32, 32))) for n in range(images)]
    found, _ = mislabelled.find_mislabelled(make_pictures(rows), threshold=0.5, seed=0)
    assert len(found) <= images


def test_classes_that_are_too_small_are_said_not_to_be_judged(make_pictures):
    rows = [("a.png", "a", "train", photo(1)), ("b.png", "b", "train", photo(2))]
    found, notes = mislabelled.find_mislabelled(make_pictures(rows), threshold=0.5, seed=0)
    assert len(found) == 0
    assert len(notes) == 2


def test_without_cleanlab_the_next_step_is_named(make_pictures, monkeypatch):
    monkeypatch.setattr("contracts.environment.optional_libraries.installed", lambda *names: ())
    with pytest.raises(ComponentError, match=r"validation.likely_mislabelled.*imgpipe\[cleanlab\]"):
        mislabelled.find_mislabelled(make_pictures([]), threshold=0.5, seed=0)
