"""Which folders of a data root are splits, classes, or neither."""

from pathlib import Path

import pytest

from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.listing.trainable import missing_splits, require_trainable
from contracts.config.data import DataConfig
from tests.components.image_example_gen.listing.conftest import (
    make,
    numbered,
    reasons,
    refusal,
    rows,
)

SPLITS = [*numbered("train/cat", "train/dog", "val/cat", "val/dog", "test/cat", "test/dog")]
CLASSES = [*numbered("cats", "dogs")]


def write_code(root: Path) -> set[str]:
    """Write what a repository and its tools leave beside the images; return the paths."""
    files = {
        "setup.py": b"import sys",
        "__pycache__/setup.cpython-310.pyc": b"o\r\r\n\0\0\0\0",
        "src/__init__.py": b"",
        "logs/log.txt": b"epoch 1",
        "logs/events.out.tfevents.17.host": b"\x18\0\0\0\0\0\0\0",
        "mlruns/0/metrics/loss": b"17 0.5 0",
    }
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return set(files)


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        (("Training", "Testing"), {"train", "test"}),
        (("training_set", "test_set"), {"train", "test"}),
        (("train", "dev", "test"), {"train", "validation", "test"}),
        (("train_data", "eval", "Test Images"), {"train", "validation", "test"}),
        (("seg_train", "seg_test"), {"train", "test"}),
        (("train2017", "val2017"), {"train", "validation"}),
        (("Training",), {"train"}),
    ],
)
def test_splits_by_their_usual_names(
    tmp_path: Path, folders: tuple[str, ...], splits: set[str]
) -> None:
    data = make(tmp_path, *numbered(*(f"{top}/{name}" for top in folders for name in "ab")))
    layout = read_layout(data)
    assert (layout.kind, layout.labels, set(layout.splits)) == ("splits", ["a", "b"], splits)
    require_trainable(layout, data)


@pytest.mark.parametrize("odd", ["runs/classify", "chest_xray/train/cat", "plane", "holdout/cat"])
def test_images_beside_splits_are_refused_until_they_are_left_out(tmp_path: Path, odd: str) -> None:
    data = make(tmp_path, *SPLITS, *numbered(odd, count=2))
    top = odd.partition("/")[0]
    (problem,) = refusal(lambda: read_layout(data))
    assert f"received {top}/ (2 files)" in problem
    assert problem.endswith(f"leave them out: data.leave_out: [{top}].")
    layout = read_layout(DataConfig(root=tmp_path, leave_out=(top,)))
    assert (layout.labels, len(layout.files), layout.found) == (["cat", "dog"], 18, 20)
    assert set(reasons(layout).values()) == {"label_left_out"}
    assert layout.description.endswith(f"Folders left out: {top}.")


@pytest.mark.parametrize("images", [SPLITS, CLASSES])
def test_folders_without_images_are_skipped(tmp_path: Path, images: list[str]) -> None:
    data = make(tmp_path, *images)
    written = write_code(tmp_path)
    layout = read_layout(data)
    require_trainable(layout, data)
    assert [path for path, *_ in rows(layout)] == sorted(images)
    assert reasons(layout) == {
        path: "folder_without_images" if "/" in path else "outside_class_folder" for path in written
    }
    assert "Folders without images: __pycache__, logs, mlruns, src." in layout.description
    assert layout.empty_classes == []


def test_a_folder_without_images_in_a_split_is_no_class(tmp_path: Path) -> None:
    make(tmp_path, *SPLITS)
    (tmp_path / "train" / "logs").mkdir()
    (tmp_path / "train" / "logs" / "log.txt").write_text("epoch 1")
    layout = read_layout(DataConfig(root=tmp_path))
    assert layout.labels == ["cat", "dog"]
    assert reasons(layout) == {"train/logs/log.txt": "folder_without_images"}


def test_a_folder_without_images_may_be_left_out_too(tmp_path: Path) -> None:
    make(tmp_path, *CLASSES)
    write_code(tmp_path)
    layout = read_layout(DataConfig(root=tmp_path, leave_out=("logs",)))
    assert reasons(layout)["logs/log.txt"] == "label_left_out"


def test_images_without_the_names_of_images_make_a_class(tmp_path: Path) -> None:
    make(tmp_path, *CLASSES)
    (tmp_path / "birds").mkdir()
    for number in range(20):
        (tmp_path / "birds" / f"a{number:02}.txt").write_text("a caption")
    (tmp_path / "birds" / "b").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF")
    assert read_layout(DataConfig(root=tmp_path)).labels == ["cats", "dogs"]
    (tmp_path / "birds" / "a").mkdir()
    (tmp_path / "birds" / "a" / "b.txt").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF")
    assert read_layout(DataConfig(root=tmp_path)).labels == ["birds", "cats", "dogs"]


def test_nothing_but_folders_without_images_is_refused(tmp_path: Path) -> None:
    write_code(tmp_path)
    (problem,) = refusal(lambda: read_layout(DataConfig(root=tmp_path)))
    assert "found no image in __pycache__/, logs/, mlruns/, src/. Sort the images" in problem


def test_two_folders_of_one_split_are_refused(tmp_path: Path) -> None:
    data = make(tmp_path, *SPLITS, *numbered("validation/cat"))
    (problem,) = refusal(lambda: read_layout(data))
    assert "one folder of the split validation" in problem
    assert "received val/, validation/. Merge them" in problem


def test_splits_without_train_are_refused(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("val/a", "val/b", "test/a", "test/b"))
    (problem,) = refusal(lambda: read_layout(data))
    assert "expected the split train" in problem
    assert "received only test/, val/" in problem


def test_all_that_is_wrong_with_top_folders_comes_at_once(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("dev/a", "val/a", "test/a", "learn/a"))
    odd, twice, no_train = refusal(lambda: read_layout(data))
    assert "learn/ (3 files)" in odd
    assert "received dev/, val/" in twice
    assert "expected the split train" in no_train


@pytest.mark.parametrize(
    ("folders", "received", "named"),
    [
        (("chest/train/a", "chest/val/a", "docs"), "chest/", "{root}/chest"),
        (("a/chest/train/a", "a/chest/test/a"), "a/chest/", "{root}/a/chest"),
        (("cat/train", "cat/test", "dog/train", "dog/test"), "cat/, dog/", "one of these folders"),
        (("train/train/a", "train/test/a", "val/a"), "train/", "{root}/train"),
        (
            ("chest/train/a", "chest/test/a", "chest/chest/train/a", "chest/chest/test/a"),
            "chest/",
            "{root}/chest",
        ),
    ],
)
def test_splits_below_the_top_are_refused_by_their_place(
    tmp_path: Path, folders: tuple[str, ...], received: str, named: str
) -> None:
    data = make(tmp_path, *numbered(*folders))
    (problem,) = refusal(lambda: read_layout(data))
    named = named.format(root=tmp_path)
    assert f"received them in {received}. Name {named} as data.root, or sort all" in problem


def test_a_split_in_a_folder_of_its_own_name_is_refused(tmp_path: Path) -> None:
    make(tmp_path, *numbered("seg_train/seg_train/a", "seg_train/seg_train/b", "seg_pred"))
    make(tmp_path, *numbered("seg_test/seg_test/a", "seg_test/seg_test/b"))
    make(tmp_path, "seg_test/.hidden/1.jpg")
    left_out = DataConfig(root=tmp_path, leave_out=("seg_pred",))
    (problem,) = refusal(lambda: read_layout(left_out))
    assert "received only a folder of the split again: seg_test/seg_test/, seg_tr" in problem
    assert problem.endswith("Move what it holds one folder up.")


def test_a_class_of_a_split_may_be_named_as_a_split(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("train/train", "train/bus", "test/train", "test/bus"))
    assert read_layout(data).labels == ["bus", "train"]


def test_several_data_sets_side_by_side_are_refused(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("cat_train", "cat_test", "dog_train", "dog_test"))
    (problem,) = refusal(lambda: read_layout(data))
    assert "received dog_test/ (3 files), dog_train/ (3 files)" in problem


@pytest.mark.parametrize("name", ["test", "val", "dev_set"])
def test_one_split_beside_classes_is_refused_until_it_is_left_out(
    tmp_path: Path, name: str
) -> None:
    data = make(tmp_path, *CLASSES, *numbered(name))
    (problem,) = refusal(lambda: read_layout(data))
    assert f"received {name}/, named as a split, beside cats/, dogs/" in problem
    assert problem.endswith(f"data.leave_out: [{name}].")
    layout = read_layout(DataConfig(root=tmp_path, leave_out=(name,)))
    assert (layout.kind, layout.labels, layout.found) == ("classes", ["cats", "dogs"], 9)


def test_train_beside_unsorted_images_is_refused_until_these_are_left_out(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("train/a", "train/b", "unlabelled"))
    (problem,) = refusal(lambda: read_layout(data))
    assert problem.endswith("data.leave_out: [unlabelled].")
    layout = read_layout(DataConfig(root=tmp_path, leave_out=("unlabelled",)))
    assert (layout.kind, layout.labels) == ("splits", ["a", "b"])


@pytest.mark.parametrize("names", [("bus", "plane", "train"), ("invalid", "valid")])
def test_a_class_may_be_named_as_a_split(tmp_path: Path, names: tuple[str, ...]) -> None:
    layout = read_layout(make(tmp_path, *numbered(*names)))
    assert (layout.kind, layout.labels) == ("classes", [*names])
    assert f"{names[-1]} is a class too" in layout.description


def test_what_tools_write_is_no_class(tmp_path: Path) -> None:
    data = make(tmp_path, *CLASSES, "runs/classify/batch0.jpg")
    (problem,) = refusal(lambda: read_layout(data))
    assert "received runs/ (1 file), which tools write" in problem
    layout = read_layout(DataConfig(root=tmp_path, leave_out=("runs",)))
    assert layout.labels == ["cats", "dogs"]


def test_unsorted_test_images_bring_no_split(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("train/cat", "train/dog", count=5), *numbered("test"))
    layout = read_layout(data)
    require_trainable(layout, data)
    assert missing_splits(layout) == ["validation", "test"]
    assert set(reasons(layout).values()) == {"outside_class_folder"}
    assert layout.description.endswith(
        "test has no class folders, so that it brings no test split: its images are not used. "
        "Sort them into test/<class>/ to use them."
    )


def test_an_empty_split_is_none(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("train/cat", "train/dog", "val/cat", "val/dog"))
    (tmp_path / "test" / "cat").mkdir(parents=True)
    (tmp_path / "runs").mkdir()
    layout = read_layout(data)
    assert (layout.splits, missing_splits(layout)) == (["train", "validation"], ["test"])
