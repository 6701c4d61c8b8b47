"""The Augmenter's pictures, policy and copies; validation and test splits are never touched."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.augmenter import core
from components.augmenter.probe_sample import ProbeSample, read_sample
from contracts.artifacts import features
from contracts.artifacts.augmentation_report import BATCHES, AugmentationFindings, read_augmentation
from contracts.artifacts.image_dataset import ImageDataset
from contracts.artifacts.tf_example import parse
from contracts.artifacts.tf_record import read_records
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.augmentation.policy import resolve_policy
from contracts.system.errors import ComponentError
from tests.components.augmenter.conftest import DIGITS
from trainer.batches import evaluation_batches

LABELS = ("many", "few", "none")
COUNTS = {"many": 30, "few": 4, "none": 0}


@pytest.fixture
def dataset(tmp_path, make_dataset) -> ImageDataset:
    """Return images of two classes, one of them small; the third class has none."""
    classes = np.repeat([0, 1], [30, 4])
    pixels = np.random.default_rng(0).integers(0, 256, (34, 16, 16, 3), np.uint8)
    return make_dataset(tmp_path / "transformed", ProbeSample(pixels, classes), LABELS)


def augmented(dataset: ImageDataset, folder: Path, **section) -> tuple[AugmentationFindings, Path]:
    config = AugmentationConfig.model_validate(section)
    report_uri, copies_uri = folder / "report", folder / "copies"
    for uri in (report_uri, copies_uri):
        uri.mkdir(parents=True)
    report = core.augment(dataset, config, 3, (str(report_uri), str(copies_uri)))
    report.write(str(report_uri))
    assert read_augmentation(str(report_uri)) == report
    return report, copies_uri


def records(folder: Path, split: str) -> list[dict]:
    names = [features.PIXELS, features.LABEL_INDEX, features.PATH, features.AUGMENTED]
    files = sorted((folder / f"Split-{split}").iterdir())
    return [parse(record, names) for file in files for _, record in read_records(file)]


def test_policy_and_a_picture_of_each_operation_and_of_a_batch_are_written(
    digits, tmp_path, make_dataset
):
    dataset = make_dataset(tmp_path / "digits", digits, DIGITS)
    section = {"preset": "paper", "operations": {"hue": {"except": ["3"]}}}
    report, _ = augmented(dataset, tmp_path, **section)
    policy = json.loads((tmp_path / "report" / "policy.json").read_text())
    assert policy == resolve_policy(AugmentationConfig.model_validate(section)).model_dump(
        mode="json"
    )
    operations = {"flip_horizontal", "crop", "hue", "random_erasing"}
    assert set(report.mosaics) == operations | {"rand_augment", "mixup", "cutmix", *BATCHES}
    for file in report.mosaics.values():
        with Image.open(tmp_path / "report" / file) as picture:
            assert picture.format == "PNG"
            assert picture.width > 200 and picture.height > 300
    assert any("flip_horizontal" in warning for warning in report.warnings)


def test_mixup_and_cutmix_have_a_picture_each_and_whole_batches_several(
    dataset, tmp_path, monkeypatch
):
    drawn = {}
    monkeypatch.setattr(
        core,
        "draw_batch",
        lambda path, title, before, after, labels: drawn.update({path.stem: after}),
    )
    augmented(dataset, tmp_path, preset="none", mixup=0.8, cutmix=1.0)
    assert list(drawn) == ["mixup", "cutmix", *BATCHES]
    originals = read_sample(dataset, 100, 0).pixels.reshape(-1, 3)
    own = {
        name: np.isin(_colours(pixels), _colours(originals)).mean()
        for name, (pixels, _) in drawn.items()
    }
    assert own["cutmix"] == 1
    assert own["mixup"] < 0.5
    for name in ("mixup", "cutmix"):
        assert ((drawn[name][1] > 0).sum(axis=1) == 2).any()
    first, second = (drawn[name][0] for name in BATCHES)
    assert not np.array_equal(first, second)


def _colours(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.uint8).reshape(-1, 3) @ np.array([1, 256, 65536])


def test_with_nothing_to_do_next_to_nothing_is_done(dataset, tmp_path):
    report, copies = augmented(dataset, tmp_path, preset="none")
    assert (report.mosaics, report.probe, report.warnings, report.notes) == ({}, None, [], [])
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "augmentation.json",
        "policy.json",
    ]
    assert ImageDataset.read(str(copies)).examples == {"train": 0, "validation": 0, "test": 0}


def test_the_probe_is_not_asked_where_it_is_off(dataset, tmp_path):
    report, _ = augmented(dataset, tmp_path, preset="light", probe="off")
    assert report.probe is None
    assert report.mosaics


def test_small_classes_are_filled_up_with_changed_copies_of_their_images(dataset, tmp_path):
    section = {"preset": "light", "materialise": {"min_examples": 20}}
    report, copies = augmented(dataset, tmp_path, **section)
    assert report.copies == {"few": 16}
    assert report.notes[-1] == "16 changed copies were made for 1 small classes."
    made = records(copies, "train")
    assert len(made) == 16
    assert {one[features.LABEL_INDEX] for one in made} == {LABELS.index("few")}
    assert {one[features.AUGMENTED] for one in made} == {1}
    paths = [one[features.PATH].decode() for one in made]
    assert {path.partition("/")[0] for path in paths} == {"few"}
    assert {paths.count(path) for path in paths} == {4}
    originals = {bytes(image) for image in read_sample(dataset, 100, 0).pixels.reshape(34, -1)}
    pixels = {one[features.PIXELS] for one in made}
    assert len(pixels) == 16
    assert pixels.isdisjoint(originals)


@pytest.mark.parametrize("least", [6, 11])
def test_the_images_of_a_class_share_its_copies_out(dataset, tmp_path, least):
    section = {"preset": "light", "materialise": {"min_examples": least}}
    _, copies = augmented(dataset, tmp_path, **section)
    of_each = Counter(one[features.PATH] for one in records(copies, "train"))
    assert of_each.total() == least - 4
    assert max(of_each.values()) == -(-(least - 4) // 4)
    assert max(of_each.values()) - min(of_each.values(), default=0) <= 1


def test_the_same_seed_makes_the_same_copies(dataset, tmp_path):
    section = {"preset": "medium", "materialise": {"min_examples": 20}, "probe": "off"}
    _, first = augmented(dataset, tmp_path / "first", **section)
    _, second = augmented(dataset, tmp_path / "second", **section)
    assert records(first, "train") == records(second, "train")


def test_copies_are_trained_on_beside_the_others_and_no_other_split_has_any(dataset, tmp_path):
    section = {"preset": "medium", "materialise": {"min_examples": 20}}
    _, copies = augmented(dataset, tmp_path, **section)
    assert records(copies, "validation") == records(copies, "test") == []
    united = ImageDataset.unite([str(copies), dataset.uri])
    assert united.uri == dataset.uri
    assert united.examples == {"train": 50, "validation": 0, "test": 0}
    targets = np.concatenate([targets for _, targets in evaluation_batches(united, "train", 8)])
    assert targets.sum(0).tolist() == [30, 20, 0]
    for split in ("validation", "test"):
        assert united.files(split) == dataset.files(split)
    assert ImageDataset.unite([dataset.uri]) == ImageDataset.read(dataset.uri)


def test_copies_keep_their_label_where_batches_are_mixed(dataset, tmp_path):
    section = {"preset": "paper", "materialise": {"min_examples": 20}, "probe": "off"}
    report, _ = augmented(dataset, tmp_path, **section)
    assert report.copies == {"few": 16}


def test_an_unknown_class_is_named(dataset, tmp_path):
    with pytest.raises(ComponentError, match=r"rotate\.except: .* 'fwe'; did you mean `few`\?"):
        augmented(dataset, tmp_path, operations={"rotate": {"except": ["fwe"]}})


def test_a_sample_has_of_each_class_as_many_where_they_are_there(dataset):
    sample = read_sample(dataset, 20, seed=0)
    assert np.bincount(sample.classes).tolist() == [16, 4]
    again = read_sample(dataset, 20, seed=0)
    np.testing.assert_array_equal(sample.pixels, again.pixels)


def test_the_backend_that_trains_is_the_one_that_is_shown(dataset, tmp_path):
    pytest.importorskip("albumentations", reason="imgpipe[albumentations] is not installed")
    section = {
        "preset": "medium",
        "backend": "albumentations",
        "materialise": {"min_examples": 20},
    }
    report, copies = augmented(dataset, tmp_path, **section)
    assert set(report.mosaics) > {"rotate", *BATCHES}
    assert len(records(copies, "train")) == 16
