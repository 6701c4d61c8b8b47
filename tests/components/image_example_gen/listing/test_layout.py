import os
import time
from pathlib import Path

import pytest

from components.image_example_gen.listing.entries import printable
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


def test_folders_are_classes(tmp_path: Path) -> None:
    data = make(tmp_path, "cat/1.JPG", "cat/deep/er/2", "dog/ü .png", "dog/a,b.gif")
    layout = read_layout(data)
    assert rows(layout) == [
        ("cat/1.JPG", "cat", None, None),
        ("cat/deep/er/2", "cat", None, None),
        ("dog/a,b.gif", "dog", None, None),
        ("dog/ü .png", "dog", None, None),
    ]
    assert (layout.kind, layout.labels, layout.root) == ("classes", ["cat", "dog"], tmp_path)
    assert missing_splits(layout) == ["validation", "test"]
    assert "2 top folders are classes" in layout.description


def test_folders_of_folders_are_splits(tmp_path: Path) -> None:
    data = make(tmp_path, "Train/cat/1", "Train/dog/1", "VAL/cat/1", "test/dog/x/2")
    layout = read_layout(data)
    assert rows(layout) == [
        ("Train/cat/1", "cat", "train", None),
        ("Train/dog/1", "dog", "train", None),
        ("VAL/cat/1", "cat", "validation", None),
        ("test/dog/x/2", "dog", "test", None),
    ]
    assert (layout.kind, missing_splits(layout)) == ("splits", [])
    assert layout.description == (
        "The top folders are splits: Train, VAL (validation), test. "
        "The 2 folders below them are classes."
    )


def test_everything_found_is_listed_with_a_reason(tmp_path: Path) -> None:
    data = make(
        tmp_path,
        *("cat/1.jpg", "cat/Thumbs.db", "cat/.DS_Store", "dog/desktop.ini", "dog/1.jpg"),
        *("README.md", ".git/objects/1", "__MACOSX/cat/1.jpg", "cat/.trash/2.jpg"),
    )
    (tmp_path / "empty").mkdir()
    (tmp_path / "cat" / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "cat" / "pipe")
    layout = read_layout(data)
    assert reasons(layout) == {
        ".git/objects/1": "hidden",
        "README.md": "outside_class_folder",
        "__MACOSX/cat/1.jpg": "hidden",
        "cat/.DS_Store": "hidden",
        "cat/.trash/2.jpg": "hidden",
        "cat/Thumbs.db": "hidden",
        "cat/broken": "broken_link",
        "cat/pipe": "not_a_file",
        "dog/desktop.ini": "hidden",
    }
    assert all(skipped.detail for skipped in layout.skipped)
    assert layout.empty_classes == ["empty"]
    assert layout.found == 11


def test_links_are_followed_once(tmp_path: Path) -> None:
    data = make(tmp_path / "data", "cat/1.jpg", "dog/1.jpg")
    make(tmp_path / "elsewhere", "1.jpg", "below/2.jpg")
    (tmp_path / "data" / "bird").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "cat" / "round").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "ant").symlink_to(tmp_path / "data" / "dog")
    (tmp_path / "data" / "dog" / "2.jpg").symlink_to(tmp_path / "data" / "cat" / "1.jpg")
    layout = read_layout(data)
    assert [file.path for file in layout.files] == [
        *("bird/1.jpg", "bird/below/2.jpg", "cat/1.jpg", "dog/1.jpg", "dog/2.jpg")
    ]
    assert reasons(layout) == {"ant": "listed_elsewhere", "cat/round": "listed_elsewhere"}


def test_names_that_are_no_text_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    data = make(tmp_path, f"{name}/1\xff\n.jpg", f"{name}/{name}.jpg", "dog/'\" *.jpg")
    layout = read_layout(data)
    assert layout.labels == ["caf\\xe9", "dog"]
    assert all((tmp_path / file.path).is_file() for file in layout.files)
    assert printable(f"{name}/ü") == "caf\\xe9/ü"
    printable(layout.description).encode()


def test_refused_roots_say_what_to_do(tmp_path: Path) -> None:
    cases = {
        "does not exist": DataConfig(root=tmp_path / "nowhere"),
        "is empty": make(tmp_path / "empty"),
        "2 loose files": make(tmp_path / "loose", "1.jpg", "2.jpg"),
        "train, received images without class folders": make(
            tmp_path / "split", "train/1.jpg", "test/1.jpg"
        ),
        "Unpack an archive": DataConfig(root=make(tmp_path, "images.zip").root / "images.zip"),
    }
    (tmp_path / "empty").mkdir()
    for words, data in cases.items():
        (problem,) = refusal(lambda data=data: read_layout(data))
        assert words in problem
        assert problem.startswith("data.root: ")
        assert problem.endswith(".")


def test_an_unreadable_folder_is_accounted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make(tmp_path, *numbered("cat", "dog", "shut"))
    real_open = os.open

    def refuse(path: Path, flags: int) -> int:
        if path.name in closed:
            raise PermissionError(13, "Permission denied")
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", refuse)
    closed = {"shut"}
    layout = read_layout(data)
    assert layout.labels == ["cat", "dog"]
    assert reasons(layout) == {"shut": "unreadable_folder"}
    assert next(iter(layout.skipped)).detail == "a folder that cannot be listed: Permission denied"
    closed = {tmp_path.name}
    (problem,) = refusal(lambda: read_layout(data))
    assert "cannot be listed (Permission denied)" in problem


def test_labels_are_left_out_by_name(tmp_path: Path) -> None:
    root = make(tmp_path, *numbered("cat", "dog", "other")).root
    layout = read_layout(DataConfig(root=root, leave_out=["other"]))
    assert layout.labels == ["cat", "dog"]
    assert reasons(layout) == {f"other/{n}.jpg": "label_left_out" for n in range(3)}
    assert layout.found == 9
    (problem,) = refusal(lambda: read_layout(DataConfig(root=root, leave_out=["dgo"])))
    assert "data.leave_out" in problem and "received dgo" in problem


def test_classes_that_differ_in_case_are_pointed_out(tmp_path: Path) -> None:
    layout = read_layout(make(tmp_path, *numbered("Cat", "cat", "dog")))
    assert layout.labels == ["Cat", "cat", "dog"]
    assert layout.description.endswith("differ only in upper and lower case: Cat and cat.")


def test_ten_thousand_files_are_listed_at_once(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("a", "b", count=5_000))
    began = time.perf_counter()
    assert read_layout(data).found == 10_000
    assert time.perf_counter() - began < 1


def test_real_photos(real_data: Path) -> None:
    data = DataConfig(root=real_data / "clothing-dev")
    layout = read_layout(data)
    require_trainable(layout, data)
    assert (len(layout.files), len(layout.labels), layout.kind) == (1032, 10, "splits")
    assert missing_splits(layout) == ["test"]


def test_groups_come_from_the_path(tmp_path: Path) -> None:
    data = make(tmp_path, "cat/p1_1.jpg", "cat/p1_2.jpg", "dog/p2_1.jpg", "dog/other.jpg")

    def groups(group_by: str) -> list[str | None]:
        files = read_layout(data.model_copy(update={"group_by": group_by})).files
        return [file.group for file in files]

    assert groups(r"(p\d)_") == ["p1", "p1", None, "p2"]
    assert groups(r"p\d") == ["p1", "p1", None, "p2"]
    for group_by, words in ((r"q\d", "matches none of the 4 paths"), ("(", "neither a column")):
        (problem,) = refusal(lambda group_by=group_by: groups(group_by))
        assert words in problem
