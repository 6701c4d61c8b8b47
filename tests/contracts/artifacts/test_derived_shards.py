"""Shards of an earlier run are linked only where they would come out the same."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.artifacts.derived_shards import (
    RECORD_FILE,
    DerivedShard,
    link_derived_shards,
    shards_to_derive,
    write_derived_shards,
)
from contracts.artifacts.example_shards import shard_digest

SETTINGS = "pixels"
# As ImageExampleGen names a shard, and as another ExampleGen does.
OURS, OTHER = "data_tfrecord-00000-0123456789abcdef", "data_tfrecord-00000-of-00001"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return some examples; what was made of them stands in `made/1`, beside the empty `made/2`."""
    source, earlier = tmp_path / "source", tmp_path / "made" / "1"
    for folder in (source, earlier):
        for name in (f"Split-train/{OURS}", f"Split-train/{OTHER}", f"Split-test/{OURS}"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{folder.name} {name}")
    (tmp_path / "made" / "2").mkdir()
    counted = [replace(shard, counts=(1, 2)) for shard in shards_to_derive(str(source))]
    write_derived_shards(str(earlier), SETTINGS, counted)
    return source


def link(source: Path, settings: str = SETTINGS) -> tuple[list[DerivedShard], list[DerivedShard]]:
    target = source.parent / "made" / "2"
    return link_derived_shards(str(target), settings, shards_to_derive(str(source)), Path)


def test_all_that_is_the_same_is_linked_with_its_counts(source: Path, tmp_path: Path) -> None:
    linked, left = link(source)
    assert [(shard.source, shard.counts) for shard in linked] == [
        (f"Split-test/{OURS}", (1, 2)),
        (f"Split-train/{OURS}", (1, 2)),
        (f"Split-train/{OTHER}", (1, 2)),
    ]
    assert left == []
    made = tmp_path / "made"
    assert (made / "2/Split-train" / OURS).samefile(made / "1/Split-train" / OURS)


def test_new_settings_and_lost_files_are_not_linked(source: Path, tmp_path: Path) -> None:
    assert link(source, "other settings") == ([], shards_to_derive(str(source)))
    (tmp_path / "made" / "1" / "Split-test" / OURS).unlink()
    _, left = link(source)
    assert [shard.source for shard in left] == [f"Split-test/{OURS}"]


def test_a_modification_time_says_nothing_and_a_changed_content_is_not_linked(
    source: Path, tmp_path: Path
) -> None:
    for name in (OURS, OTHER):
        os.utime(source / "Split-train" / name, (1, 1))
    changed = source / "Split-train" / OTHER
    changed.write_text(changed.read_text().swapcase())
    os.utime(changed, (1, 1))
    _, left = link(source)
    assert [shard.source for shard in left] == [f"Split-train/{OTHER}"]


def test_a_shard_that_names_its_digest_is_not_read(source: Path) -> None:
    assert shard_digest(source / "Split-train" / "no such folder" / OURS) == "0123456789abcdef"
    with pytest.raises(FileNotFoundError):
        shard_digest(source / "Split-train" / "no such folder" / OTHER)


@pytest.mark.parametrize("record", ["{", "[]", '{"settings": "pixels", "shards": [1]}'])
def test_a_damaged_record_is_as_good_as_none(source: Path, tmp_path: Path, record: str) -> None:
    (tmp_path / "made" / "1" / RECORD_FILE).write_text(record)
    linked, left = link(source)
    assert (linked, len(left)) == ([], 3)


def test_it_is_copied_where_the_disk_knows_no_links(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    linked, _ = link(source)
    assert len(linked) == 3
    shutil.rmtree(tmp_path / "made" / "1")
    copy = tmp_path / "made" / "2" / "Split-train" / OURS
    assert copy.read_text() == f"1 Split-train/{OURS}"
