"""Each check finds what it is for, says how many, and is quiet about good pictures."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw, ImageFilter

from components.image_validator.core import Evidence, find_issues
from components.image_validator.pictures import Pictures
from components.image_validator.report import DataReport, Issue, read_report
from contracts.data_checks import CHECKS, ValidationConfig
from tests.components.image_validator.conftest import photo
from tests.conftest import encoded

PLENTY = {"cat": {"train": 50, "validation": 5, "test": 5}}
GOOD = [(f"cat/{seed:02}.png", "cat", "train", photo(seed)) for seed in range(24)]


def issues(pictures: Pictures, *, config: Mapping | None = None, **more) -> dict[str, Issue]:
    evidence = Evidence(pictures, **{"counts": PLENTY, **more})
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


def test_what_all_pictures_are_like_is_no_issue(make_pictures):
    night = [
        (
            f"cat/{seed}.png",
            "cat",
            "train",
            photo(seed).convert("L").point(lambda level: level // 8),
        )
        for seed in range(8)
    ]
    assert issues(make_pictures(night)) == {}


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
