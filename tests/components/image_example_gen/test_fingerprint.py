import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.image_example_gen import fingerprint
from components.image_example_gen.fingerprint import dataset_fingerprint
from components.image_example_gen.layout import read_layout
from contracts.config import DataConfig


def of(root: Path, index: Path | None = None, **options: str) -> str:
    return dataset_fingerprint(read_layout(DataConfig(root=root, **options)), index)


def age(root: Path) -> None:
    """Make files old enough for the index."""
    for path in root.rglob("*.jpg"):
        os.utime(path, (1e9, 1e9))


@contextmanager
def counted_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    read: list[Path] = []
    sha256 = fingerprint._sha256
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "_sha256", lambda path: (read.append(path), sha256(path))[1])
        yield read


def test_names_labels_groups_and_content_count_and_nothing_else(
    image_folder: Path, tmp_path: Path
) -> None:
    seen = {of(image_folder)}
    copy = shutil.copytree(image_folder, tmp_path / "elsewhere" / "copy")
    age(copy)
    assert of(copy) in seen

    def is_new() -> bool:
        before = len(seen)
        seen.add(of(copy))
        return len(seen) > before

    (copy / "cat" / "000.jpg").rename(copy / "cat" / "renamed.jpg")
    assert is_new()
    (copy / "cat" / "renamed.jpg").rename(copy / "dog" / "renamed.jpg")
    assert is_new()
    content = (copy / "cat" / "002.jpg").read_bytes()
    (copy / "cat" / "002.jpg").write_bytes(content[:-1] + b"x")
    assert is_new()
    (copy / "cat" / "002.jpg").unlink()
    assert is_new()
    assert of(copy, group_by=r"\d") not in seen


def test_the_index_spares_reading_what_has_not_changed(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.json"
    monkeypatch.setattr(fingerprint, "SETTLED_NS", 0)
    whole = of(image_folder)
    assert of(image_folder, index) == whole
    with counted_reads(monkeypatch) as read:
        assert of(image_folder, index) == whole
        assert read == []
        changed = image_folder / "cat" / "000.jpg"
        status = changed.stat()
        changed.write_bytes(changed.read_bytes()[:-1] + b"x")
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert of(image_folder, index) != whole
        assert read == [changed]


def test_a_file_that_changed_a_moment_ago_is_read_again(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.json"
    monkeypatch.setattr(fingerprint, "SETTLED_NS", 60 * 10**9)
    of(image_folder, index)
    with counted_reads(monkeypatch) as read:
        of(image_folder, index)
        assert len(read) == 80


@pytest.mark.parametrize("content", ["", "{", "[]", '{"root": 1}', '{"files": {"a": 1}}', "\0"])
def test_a_damaged_index_is_made_anew(
    image_folder: Path, tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "SETTLED_NS", 0)
    index = tmp_path / "index.json"
    index.write_text(content)
    assert of(image_folder, index) == of(image_folder)
    assert len(json.loads(index.read_text())["files"]) == 80


def test_odd_and_unreadable_files_are_no_trouble(image_folder: Path, tmp_path: Path) -> None:
    before = of(image_folder)
    (image_folder / "cat" / os.fsdecode(b"\xff\n.jpg")).write_bytes(b"x")
    index = tmp_path / "index.json"
    with_odd = of(image_folder, index)
    assert with_odd != before
    layout = read_layout(DataConfig(root=image_folder))
    (image_folder / "cat" / "000.jpg").unlink()
    assert dataset_fingerprint(layout, index) not in (with_odd, before)


def test_ten_thousand_files_take_a_moment(tmp_path: Path) -> None:
    for index in range(10_000):
        path = tmp_path / "images" / f"{index % 10}" / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % index)
    began = time.perf_counter()
    of(tmp_path / "images")
    assert time.perf_counter() - began < 10
