"""Each check finds what it is for, says how many, and is quiet about good pictures."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from components.image_validator.core import CheckedData, find_issues
from components.image_validator.measured_images import MeasuredImages
from contracts.artifacts.image_issues import DataReport, Issue, read_report
from contracts.config.validation import CHECKS, ValidationConfig
from tests.components.image_validator.conftest import Row, photo
from tests.conftest import encoded

PLENTY = {"cat": {"train": 50, "validation": 5, "test": 5}}
GOOD = [(f"cat/{seed:02}.png", "cat", "train", photo(seed)) for seed in range(24)]


def issues(pictures: MeasuredImages, *, config: Mapping | None = None, **more) -> dict[str, Issue]:
    evidence = CheckedData(pictures, **{"counts": PLENTY, **more})
    report = find_issues(evidence, ValidationConfig.model_validate(config or {}))
    return {issue.name: issue for issue in report.issues}


def placeholder(text: str) -> Image.Image:
    image = Image.new("RGB", (120, 160), (230, 230, 230))
    ImageDraw.Draw(image).text((20, 70), text, fill=(90, 90, 90))
    return image


def test_good_pictures_have_no_issues(make_pictures):
    assert issues(make_pictures(GOOD)) == {}


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("dark", Image.new("RGB", (120, 160), (3, 3, 3))),
        ("dark", photo(99).point(lambda level: level // 12)),
        ("light", photo(99).point(lambda level: 245 + level // 26)),
        ("blurry", photo(99).filter(ImageFilter.GaussianBlur(12))),
        ("low_information", Image.new("RGB", (120, 160), (120, 80, 40))),
        ("odd_size", photo(99, (1600, 1300))),
        ("odd_aspect", photo(99, (400, 60))),
        ("grayscale_among_colour", photo(99).convert("L")),
        ("placeholder", placeholder("image not found")),
    ],
)
def test_the_odd_one_is_found(make_pictures, name, picture):
    rows = [*GOOD, ("cat/odd.jpg", "cat", "train", picture)]
    assert issues(make_pictures(rows))[name].groups == [["cat/odd.jpg"]]


def alike(make: Callable[[int], Image.Image]) -> list[Row]:
    return [(f"cat/{seed}.png", "cat", "train", make(seed)) for seed in range(8)]


def test_what_all_pictures_are_like_is_no_issue_of_each(make_pictures):
    night = alike(lambda seed: photo(seed).convert("L").point(lambda level: level // 8))
    assert set(issues(make_pictures(night))) == {"all_dark_or_flat"}


@pytest.mark.parametrize(
    ("make", "brightness"),
    [
        (lambda seed: photo(seed).convert("L").point(lambda level: level // 16), "0.03"),
        (lambda seed: photo(seed).point(lambda level: 120 + level // 16), "0.50"),
        (lambda seed: Image.new("L", (40, 30 + seed), 200), "0.784"),
    ],
    ids=["12 bits of 16 read as 16", "hardly any contrast", "one grey"],
)
def test_pictures_that_are_dark_or_flat_on_the_whole_are_an_issue(make_pictures, make, brightness):
    found = issues(make_pictures(alike(make)))["all_dark_or_flat"]
    assert (found.severity, found.count) == ("warn", 1)
    (detail,) = found.details
    assert detail.startswith("the median contrast of the 8 images is 0.0")
    assert "below 0.1 (validation.all_dark_or_flat.threshold)" in detail
    assert f"median brightness {brightness}" in detail
    assert "data.value_range sets" in detail


def drawing(seed: int) -> Image.Image:
    """Return two lines, one pixel wide, on white: less than a hundredth of the pixels."""
    image = Image.new("L", (500, 500), 255)
    ImageDraw.Draw(image).line([(10, 20 + seed), (480, 300), (20, 470)], fill=0, width=2)
    return image


def lights(seed: int) -> Image.Image:
    """Return small lights in the night."""
    image = Image.new("L", (200, 150), 6)
    ImageDraw.Draw(image).rectangle([50 + seed, 60, 53 + seed, 63], fill=220)
    return image


def x_ray(seed: int) -> Image.Image:
    """Return something soft of little contrast."""
    rows, columns = np.mgrid[0:128, 0:128] / 128
    bright = 30 * np.exp(-6 * ((columns - 0.5) ** 2 + (rows - 0.5) ** 2)) + 6 * np.sin(20 * rows)
    noise = np.random.default_rng(seed).normal(0, 2, bright.shape)
    return Image.fromarray((110 + bright + noise).astype(np.uint8))


@pytest.mark.parametrize("make", [drawing, lights, x_ray])
def test_drawings_lights_at_night_and_x_rays_are_not_flat(make_pictures, make):
    assert "all_dark_or_flat" not in issues(make_pictures(alike(make)))


def test_copies_leaks_and_conflicts(make_pictures):
    image = photo(50)
    rows = [
        *GOOD,
        ("cat/copy.png", "cat", "test", photo(3)),
        ("dog/small.jpg", "dog", "train", encoded(image.resize((60, 80)), "JPEG", quality=70)),
        ("cat/large.png", "cat", "train", image),
    ]
    found = issues(make_pictures(rows))
    assert found["exact_duplicate"].groups == [["cat/03.png", "cat/copy.png"]]
    assert found["near_duplicate"].groups == [["cat/large.png", "dog/small.jpg"]]
    assert found["cross_split_leak"].groups == [["cat/03.png", "cat/copy.png"]]
    assert found["label_conflict"].groups == [["cat/large.png", "dog/small.jpg"]]
    assert set(found) == {
        "exact_duplicate",
        "near_duplicate",
        "cross_split_leak",
        "label_conflict",
    }


def test_a_group_in_two_splits_is_a_leak_that_is_named(make_pictures):
    rows = [*GOOD, ("cat/x.png", "cat", "test", photo(60)), ("cat/y.png", "cat", "test", photo(61))]
    groups = {"cat/00.png": "anna", "cat/x.png": "anna", "cat/y.png": "ben"}
    leak = issues(make_pictures(rows), groups=groups)["cross_split_leak"]
    assert leak.groups == [["cat/00.png", "cat/x.png"]]
    assert leak.details == ["the group anna of data.group_by"]
    assert "e.g. the group anna of data.group_by: cat/00.png = cat/x.png. " in leak.sentence
    assert "expected fewer than 2" in replace(leak, least=2).sentence


def test_a_photo_that_stands_under_many_labels_is_a_placeholder(make_pictures):
    rows = [*GOOD, *((f"{label}/logo.png", label, "train", photo(70)) for label in ("a", "b", "c"))]
    found = issues(make_pictures(rows))
    assert found["placeholder"].groups == [["a/logo.png", "b/logo.png", "c/logo.png"]]


def test_classes_that_are_small_unequal_or_missing(make_pictures):
    counts = {
        "cat": {"train": 500, "validation": 50, "test": 0},
        "dog": {"train": 3, "validation": 1, "test": 1},
    }
    rows = [*GOOD, *((f"dog/{seed}.png", "dog", "train", photo(seed)) for seed in range(80, 83))]
    found = issues(make_pictures(rows), counts=counts)
    assert found["class_too_small"].details == ["dog: 3 training images, fewer than 10"]
    assert found["class_too_small"].groups == [["dog/80.png", "dog/81.png", "dog/82.png"]]
    assert found["class_imbalance"].details == ["dog: 3 training images beside 500 of cat"]
    assert found["class_missing_in_split"].details == ["cat: no image in test"]


def test_severities_and_thresholds_decide_what_is_reported(make_pictures):
    rows = [*GOOD, ("cat/copy.png", "cat", "test", photo(3))]
    pictures = make_pictures(rows)
    config = {
        "exact_duplicate": {"threshold": 2},
        "cross_split_leak": {"severity": "fail"},
        "schema_anomaly": {"severity": "off"},
    }
    found = issues(pictures, config=config, anomalies=["train: odd"], drift=["label moved"])
    assert list(found) == ["cross_split_leak", "drift"]  # what fails stands first
    assert found["cross_split_leak"].severity == "fail"
    assert found["drift"].details == ["label moved"]
    assert found["drift"].count == 1


def test_a_failing_issue_is_a_reason_with_an_example_and_the_next_step():
    report = DataReport(
        [
            Issue("dark", "warn", 1, [["a.png"]]),
            Issue("label_conflict", "fail", 7, [["a.png", "b.png"]]),
        ]
    )
    (reason,) = report.reasons
    assert reason.startswith(
        "validation.label_conflict: expected none, found 7, e.g. a.png = b.png"
    )
    assert "imgpipe data report" in reason


def test_a_report_comes_back_as_it_was_written(tmp_path):
    report = DataReport([Issue("dark", "warn", 1, [["ä b.png"]], ["why"])], ["a note"])
    report.write(str(tmp_path))
    assert read_report(str(tmp_path)) == report


def test_all_checks_but_the_costly_one_warn_by_default():
    assert {name: ValidationConfig().check(name).severity for name in CHECKS} == {
        **dict.fromkeys(CHECKS, "warn"),
        "likely_mislabelled": "off",
    }
