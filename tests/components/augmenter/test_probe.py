"""The probe warns where an operation destroys meaning, and nowhere else; it says when it cannot."""

import numpy as np
import pytest

from components.augmenter.batch_augmenter import batch_augmenter, single_policies
from components.augmenter.probe import probe
from components.augmenter.probe_sample import ProbeSample
from contracts.artifacts.augmentation_report import ProbeReport
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.augmentation.policy import resolve_policy
from tests.components.augmenter.conftest import DIGITS


def probed(sample: ProbeSample, labels, preset: str = "none", **operations) -> ProbeReport:
    section = {"preset": preset, "operations": operations}
    policy = resolve_policy(AugmentationConfig.model_validate(section))
    changes = {
        name: (single, batch_augmenter(single, labels, 0, "keras"))
        for name, single in single_policies(policy).items()
    }
    return probe(sample, labels, changes)


def pairs(report: ProbeReport, name: str) -> set[tuple[str, str]]:
    return {(one.label, one.taken_for) for one in report.confusions.get(name, [])}


DESTROYING = {
    "flip_horizontal": {},
    "flip_vertical": {},
    "dihedral": {},
    "rotate": {"range": [-180, 180]},
}
HARMLESS = {
    "translate": {},
    "brightness": {"range": [0.5, 1.5]},
    "contrast": {},
    "zoom": {},
    "rotate": {},
    "shear": {},
    "auto_contrast": {},
    "equalize": {},
    "posterize": {},
    "sharpness": {},
    "crop_and_pad": {},
    "blur": {},
    "noise": {},
    "jpeg_compression": {},
    "random_erasing": {},
    "hue": {},
}


def test_digits_lose_their_meaning_in_a_mirror_and_upside_down(digits):
    report = probed(digits, DIGITS, **DESTROYING)
    assert report.accuracy > 0.95
    assert set(report.confusions) == set(DESTROYING)
    assert len(report.warnings) == len(DESTROYING)
    for name, warning in zip(report.confusions, report.warnings, strict=True):
        worst = report.confusions[name][0]
        assert warning.startswith(f"augmentation.operations.{name}: ")
        assert f"{worst.label} for {worst.taken_for} ({worst.taken:.0%})" in warning
        assert f"{name}: null" in warning


def test_a_6_upside_down_is_a_9(digits):
    report = probed(digits, DIGITS, rotate={"range": [180, 180]})
    assert {("6", "9"), ("9", "6")} <= pairs(report, "rotate")


def test_digits_that_are_moved_lit_or_blurred_are_the_same_digits(digits):
    report = probed(digits, DIGITS, **HARMLESS)
    assert report.confusions == {}
    assert report.warnings == []
    assert report.notes == []


def test_classes_that_are_spared_are_not_warned_of(digits):
    spared = {"except": list("0123456789")}
    assert probed(digits, DIGITS, flip_vertical=spared).warnings == []
    some = probed(digits, DIGITS, rotate={"range": [180, 180], "except": ["6", "9"]})
    assert {"6", "9"}.isdisjoint(label for label, _ in pairs(some, "rotate"))
    assert some.warnings


@pytest.fixture(scope="module")
def blots() -> ProbeSample:
    """Round blots, each as often left as right: red ones, green ones, and squares."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32]
    images = []
    for number in range(240):
        centre = rng.uniform(10, 22, 2)
        if number % 3 == 2:
            is_inside = np.maximum(np.abs(y - centre[0]), np.abs(x - centre[1])) < 8
        else:
            is_inside = np.hypot(y - centre[0], x - centre[1]) < 6
        image = np.full((32, 32, 3), 40.0)
        image[is_inside] = ((220, 40, 40), (40, 190, 40), (220, 40, 40))[number % 3]
        images.append(np.clip(image + rng.normal(0, 6, image.shape), 0, 255))
    return ProbeSample(np.array(images).astype(np.uint8), np.arange(240) % 3)


def test_what_looks_the_same_in_a_mirror_is_not_warned_of(blots):
    labels = ("red", "green", "square")
    report = probed(blots, labels, flip_horizontal={}, dihedral={}, translate={})
    assert report.accuracy > 0.9
    assert report.warnings == []


def test_another_colour_is_another_class_where_classes_are_colours(blots):
    labels = ("red", "green", "square")
    report = probed(blots, labels, hue={"range": [0.33, 0.33]})
    assert ("red", "green") in pairs(report, "hue")


def test_a_probe_that_has_not_learned_the_classes_says_so_and_nothing_else():
    noise = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3), np.uint8)
    report = probed(ProbeSample(noise, np.arange(100) % 4), tuple("abcd"), flip_horizontal={})
    assert report.warnings == []
    (note,) = report.notes
    assert "too few (below 70%) to say whether" in note


def test_photos_in_a_mirror_are_not_warned_of(real_data):
    from PIL import Image

    folders = sorted((real_data / "clothing-dev" / "train").iterdir())
    images, classes = [], []
    for index, folder in enumerate(folders):
        for path in sorted(folder.iterdir())[:25]:
            images.append(np.asarray(Image.open(path).convert("RGB").resize((64, 64))))
            classes.append(index)
    sample = ProbeSample(np.array(images), np.array(classes))
    report = probed(sample, tuple(folder.name for folder in folders), flip_horizontal={})
    assert report.warnings == []
    assert report.notes


def test_a_probe_that_recognises_one_class_alone_does_not_blame_its_accuracy(blots):
    rows = np.concatenate([np.flatnonzero(blots.classes == 0), np.flatnonzero(blots.classes)[:4]])
    few = ProbeSample(blots.pixels[rows], np.minimum(blots.classes[rows], 1))
    report = probed(few, ("red", "other"), flip_horizontal={})
    (note,) = report.notes
    assert report.accuracy >= 0.7
    assert "recognises 1 of the classes well enough" in note
    assert "below 70%" not in note
