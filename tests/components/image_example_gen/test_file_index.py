import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.image_example_gen import file_index
from components.image_example_gen.file_index import UNREADABLE, FileIndex
from components.image_example_gen.layout import read_layout
from contracts.config import DataConfig


def digests_of(root: Path, path: Path | None = None) -> dict[str, str]:
    index = FileIndex(read_layout(DataConfig(root=root)), path)
    index.read_unknown()
    index.write()
    return index.digests


@contextmanager
def counted_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    read: list[Path] = []
    sha256 = file_index._sha256
    with monkeypatch.context() as patch:
        patch.setattr(file_index, "_sha256", lambda path: (read.append(path), sha256(path))[1])
        yield read


def test_what_has_not_changed_is_not_read_again(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index.json"
    monkeypatch.setattr(file_index, "SETTLED_NS", 0)
    before = digests_of(image_folder)
    assert digests_of(image_folder, path) == before
    with counted_reads(monkeypatch) as read:
        assert digests_of(image_folder, path) == before
        assert read == []
        changed = image_folder / "cat" / "000.jpg"
        status = changed.stat()
        changed.write_bytes(changed.read_bytes()[:-1] + b"x")
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
        after = digests_of(image_folder, path)
        assert {name for name in after if after[name] != before[name]} == {"cat/000.jpg"}
        assert read == [changed]


def test_what_somebody_else_has_read_is_remembered_too(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_index, "SETTLED_NS", 0)
    layout = read_layout(DataConfig(root=image_folder))
    index = FileIndex(layout, tmp_path / "index.json")
    assert len(index.unknown) == len(layout.files)
    index.note({file.path: "0" * 64 for file in layout.files})
    assert index.unknown == []
    index.write()
    with counted_reads(monkeypatch) as read:
        assert set(digests_of(image_folder, tmp_path / "index.json").values()) == {"0" * 64}
        assert read == []


def test_a_file_that_changed_a_moment_ago_is_read_again(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_index, "SETTLED_NS", 60 * 10**9)
    digests_of(image_folder, tmp_path / "index.json")
    with counted_reads(monkeypatch) as read:
        digests_of(image_folder, tmp_path / "index.json")
        assert len(read) == 80


@pytest.mark.parametrize("content", ["", "{", "[]", '{"root": 1}', '{"files": {"a": 1}}', "\0"])
def test_a_damaged_index_is_made_anew(
    image_folder: Path, tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_index, "SETTLED_NS", 0)
    path = tmp_path / "index.json"
    path.write_text(content)
    assert digests_of(image_folder, path) == digests_of(image_folder)
    assert len(json.loads(path.read_text())["files"]) == 80


def test_a_file_that_has_vanished_is_known_as_unreadable(image_folder: Path) -> None:
    layout = read_layout(DataConfig(root=image_folder))
    (image_folder / "cat" / "000.jpg").unlink()
    index = FileIndex(layout)
    index.read_unknown()
    assert index.digests["cat/000.jpg"] == UNREADABLE
