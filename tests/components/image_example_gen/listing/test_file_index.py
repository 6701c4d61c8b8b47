import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.image_example_gen.listing import file_index
from components.image_example_gen.listing.file_index import UNREADABLE, FileIndex
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.layout_reading import read_layout
from contracts.config.data import DataConfig


def digests_of(root: Path, path: Path | None = None) -> dict[str, str]:
    layout = read_layout(DataConfig(root=root))
    index = FileIndex(layout, path)
    index.read_unknown()
    index.write()
    return known(layout)


def known(layout: Layout) -> dict[str, str]:
    return {path.decode(): digest for path, *_, digest in layout.catalogue.with_digests()}


@contextmanager
def counted_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    read: list[Path] = []
    sha256 = file_index._sha256

    def counted(root: Path, path: str) -> str:
        read.append(root / path)
        return sha256(root, path)

    with monkeypatch.context() as patch:
        patch.setattr(file_index, "_sha256", counted)
        yield read


def test_what_has_not_changed_is_not_read_again(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "files.index"
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
    index = FileIndex(layout, tmp_path / "files.index")
    assert index.unknown == len(layout.files)
    everything = [(file.path, "0" * 64) for file in layout.files]
    assert index.add_digests(everything)
    assert not index.add_digests(everything)
    assert index.unknown == 0
    index.write()
    with counted_reads(monkeypatch) as read:
        assert set(digests_of(image_folder, tmp_path / "files.index").values()) == {"0" * 64}
        assert read == []


def test_a_file_that_changed_a_moment_ago_is_read_again(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_index, "SETTLED_NS", 60 * 10**9)
    digests_of(image_folder, tmp_path / "files.index")
    with counted_reads(monkeypatch) as read:
        digests_of(image_folder, tmp_path / "files.index")
        assert len(read) == 80


def database(script: str) -> bytes:
    made = sqlite3.connect(":memory:")
    made.executescript(script)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made")
        made.execute("VACUUM INTO ?", (str(path),))
        return path.read_bytes()


FOREIGN = (
    "CREATE TABLE a (b)",
    "CREATE TABLE root (path TEXT)",
    "CREATE TABLE root (path TEXT); INSERT INTO root VALUES ('/elsewhere')",
)


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"root": "x"}', b"SQLite format 3\0", *map(database, FOREIGN)]
)
def test_a_damaged_index_is_made_anew(
    image_folder: Path, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_index, "SETTLED_NS", 0)
    path = tmp_path / "files.index"
    path.write_bytes(content)
    assert digests_of(image_folder, path) == digests_of(image_folder)
    with counted_reads(monkeypatch) as read:
        digests_of(image_folder, path)
        assert read == []
    assert [path.name for path in tmp_path.glob("*.index*")] == ["files.index"]


def test_a_file_that_has_vanished_is_known_as_unreadable(image_folder: Path) -> None:
    layout = read_layout(DataConfig(root=image_folder))
    (image_folder / "cat" / "000.jpg").unlink()
    index = FileIndex(layout)
    index.read_unknown()
    assert known(layout)["cat/000.jpg"] == UNREADABLE
