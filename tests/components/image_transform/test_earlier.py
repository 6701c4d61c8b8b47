"""Shards of an earlier transformation are taken over only where they would come out the same."""

import os
import shutil
from dataclasses import replace

import pytest

from components.image_transform.earlier import Shard, link_shards, shards_of, write_shards

SETTINGS = "pixels"


@pytest.fixture
def wanted(tmp_path) -> list[Shard]:
    """Return the shards of some examples; their transformation stands beside the next one."""
    source, earlier = tmp_path / "source", tmp_path / "transformed" / "1"
    for folder in (source, earlier):
        for name in ("Split-train/a", "Split-train/b", "Split-test/a"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{folder.name} {name}")
    (tmp_path / "transformed" / "2").mkdir()
    found = shards_of(str(source), ["train", "test"])
    write_shards(str(earlier), SETTINGS, [replace(shard, label_counts=(1, 2)) for shard in found])
    return found


def test_all_that_is_the_same_is_linked_with_its_counts(wanted, tmp_path):
    target = tmp_path / "transformed" / "2"
    linked = link_shards(str(target), SETTINGS, wanted)
    assert [(shard.name, shard.label_counts) for shard in linked] == [
        (shard.name, (1, 2)) for shard in wanted
    ]
    assert (target / "Split-train" / "b").read_text() == "1 Split-train/b"


def test_a_changed_source_new_settings_and_lost_files_are_not_linked(wanted, tmp_path):
    target = str(tmp_path / "transformed" / "2")
    assert link_shards(target, "other settings", wanted) == []
    os.utime(tmp_path / "source" / "Split-train" / "a", (1, 1))
    (tmp_path / "transformed" / "1" / "Split-test" / "a").unlink()
    now = shards_of(str(tmp_path / "source"), ["train", "test"])
    assert [shard.name for shard in link_shards(target, SETTINGS, now)] == ["Split-train/b"]


def test_a_damaged_record_is_as_good_as_none(wanted, tmp_path):
    (tmp_path / "transformed" / "1" / "shards.json").write_text("{")
    assert link_shards(str(tmp_path / "transformed" / "2"), SETTINGS, wanted) == []


def test_it_is_copied_where_the_disk_knows_no_links(wanted, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "transformed" / "2"
    assert len(link_shards(str(target), SETTINGS, wanted)) == 3
    shutil.rmtree(tmp_path / "transformed" / "1")
    assert (target / "Split-train" / "a").read_text() == "1 Split-train/a"
