import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from components.image_example_gen.listing.layout import (
    Layout,
    missing_splits,
    printable,
    read_layout,
    require_trainable,
)
from contracts.config import DataConfig
from contracts.errors import DataError


def make(root: Path, *paths: str) -> DataConfig:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return DataConfig(root=root)


def numbered(*folders: str, count: int = 3) -> Iterable[str]:
    return (f"{folder}/{index}.jpg" for folder in folders for index in range(count))


def rows(layout: Layout) -> list[tuple[str, str, str | None, str | None]]:
    return [(file.path, file.label, file.split, file.group) for file in layout.files]


def reasons(layout: Layout) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in layout.skipped}


def refusal(call: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        call()
    return caught.value.problems


def write_table(root: Path, text: str | bytes) -> DataConfig:
    root.mkdir(parents=True, exist_ok=True)
    table = root / "images.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    return DataConfig(root=table)


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
    assert "are splits" in layout.description


def test_split_names_beside_others_are_classes_and_it_is_said(tmp_path: Path) -> None:
    layout = read_layout(make(tmp_path, "train/a/1", "test/a/1", "plane/1"))
    assert (layout.kind, layout.labels) == ("classes", ["plane", "test", "train"])
    assert "classes, test, train too" in layout.description
    assert read_layout(make(tmp_path / "b", "test/1", "validation/1")).kind == "classes"


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
        "a folder a class in test, train": make(tmp_path / "split", "train/1.jpg", "test/1.jpg"),
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


def test_a_table_brings_labels_splits_and_groups(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "2,b.jpg", "ü.jpg")
    outside = make(tmp_path.parent / f"{tmp_path.name}-outside", "3.jpg").root / "3.jpg"
    data = write_table(
        tmp_path,
        "\ufeffLabel, path,split,group,weight\r\n"
        "cat,a/1.jpg,Train,g1,1\r\n"
        'dog ,"2,b.jpg",valid,,1\r\n'
        "\r\n"
        "dog,./ü.jpg,,g2,1\r\n"
        f"dog,{outside},test,g2,1\r\n"
        "dog,missing.jpg,test,g2,1\r\n",
    )
    layout = read_layout(data)
    assert sorted(rows(layout)) == [
        (f"../{outside.parent.name}/3.jpg", "dog", "test", "g2"),
        ("2,b.jpg", "dog", "validation", None),
        ("a/1.jpg", "cat", "train", "g1"),
        ("ü.jpg", "dog", None, "g2"),
    ]
    assert (layout.kind, layout.root) == ("csv", tmp_path)
    assert reasons(layout) == {"missing.jpg": "no_such_file"}
    assert "line 7" in next(iter(layout.skipped)).detail
    assert "2 classes, the splits train, validation, test" in layout.description


def test_all_faults_of_a_table_come_at_once_with_their_lines(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    data = write_table(
        tmp_path, "path,label,split\n1.jpg,cat,train\n2.jpg,dog,trian\n,dog,test\n2.jpg\n"
    )
    problems = refusal(lambda: read_layout(data))
    assert len(problems) == 3
    for words in ("line 3 (trian)", "line 4", "line 5"):
        assert any(words in problem for problem in problems)


def test_every_file_of_a_table_has_one_row_or_a_reason(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "a/no row.jpg", "b/unused.jpg")
    data = write_table(
        tmp_path,
        "path,label\na/1.jpg,cat\n./a/1.jpg,cat\na/2.jpg,cat\na/2.jpg,dog\na/2.jpg,cat\n"
        "a/3.jpg,\na/4.jpg,dog\ngone.jpg,dog\n",
    )
    layout = read_layout(data)
    assert [file.path for file in layout.files] == ["a/1.jpg", "a/4.jpg"]
    assert reasons(layout) == {
        "a/2.jpg": "conflicting_rows",
        "a/3.jpg": "no_label",
        "a/no row.jpg": "no_row",
        "gone.jpg": "no_such_file",
    }
    assert next(iter(layout.skipped)).detail == "lines 4 and 5 say different things of it"
    assert layout.description.endswith("Rows that only repeat others: 1.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("file;label\n", "expected the column path"),
        ("path,class\n", "expected the column label"),
        ("path,label,label\n", "stands there twice"),
        ('path,label\n"1.jpg,cat\n', ":2: no readable CSV"),
    ],
)
def test_a_table_without_its_columns_is_refused(tmp_path: Path, text: str, words: str) -> None:
    data = write_table(tmp_path, text)
    assert any(words in problem for problem in refusal(lambda: read_layout(data)))


def test_a_table_names_files_whose_names_are_no_text(tmp_path: Path) -> None:
    make(tmp_path, os.fsdecode(b"caf\xe9.jpg"), "2.jpg")
    layout = read_layout(write_table(tmp_path, b"path,label\ncaf\xe9.jpg,a\n2.jpg,b\n"))
    assert len(layout.files) == 2


def test_groups_come_from_a_column(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    data = write_table(tmp_path, "path,label,patient\n1.jpg,a,p1\n2.jpg,b,p2\n")
    layout = read_layout(data.model_copy(update={"group_by": "Patient"}))
    assert [file.group for file in layout.files] == ["p1", "p2"]
    assert "its column patient" in layout.description
    assert [file.group for file in read_layout(data).files] == [None, None]


def test_a_column_without_groups_is_no_expression_on_the_path(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    data = write_table(tmp_path, "path,label,patient\n1.jpg,a,\n2.jpg,b,\n")
    layout = read_layout(data.model_copy(update={"group_by": "patient"}))
    assert [file.group for file in layout.files] == [None, None]


def test_only_line_ends_end_a_row(tmp_path: Path) -> None:
    name = "1\u2028\x0b2.jpg"
    make(tmp_path, name)
    layout = read_layout(write_table(tmp_path, f"path,label\n{name},a\n"))
    assert [file.path for file in layout.files] == [name]


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


def test_untrainable_layouts_are_refused_all_at_once(tmp_path: Path) -> None:
    def problems(name: str, *paths: str) -> tuple[str, ...]:
        data = make(tmp_path / name, *paths)
        return refusal(lambda: require_trainable(read_layout(data), data))

    one, small = problems("one", "cat/1", "cat/2")
    assert "at least 2 classes" in one
    assert "cat (2)" in small
    (small,) = problems("small", *numbered("cat", "dog"), "bird/1", "fish/1")
    assert "bird (1), fish (1)" in small
    (small,) = problems("cut", *numbered("train/cat", count=1), *numbered("train/a", "val/a"))
    assert "(test); found fewer of cat (1)" in small
    (untrained,) = problems(
        "untrained", *numbered("train/cat", "train/dog", "test/dog", "val/cat", "test/bird")
    )
    assert "found none of bird" in untrained
    (none,) = problems("none", "cat/.1", "dog/Thumbs.db")
    assert "none of the 2 entries" in none
    (tmp_path / "bare" / "cat").mkdir(parents=True)
    (bare,) = problems("bare")
    assert "hold no files" in bare


def test_a_table_without_training_images_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    data = write_table(tmp_path, "path,label,split\n1.jpg,a,val\n2.jpg,b,test\n")
    (problem,) = refusal(lambda: require_trainable(read_layout(data), data))
    assert "brings validation and test but no training images" in problem
