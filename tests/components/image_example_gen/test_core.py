import errno
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.image_example_gen import core, manifest_summary
from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.manifest_summary import summarise, write_skipped
from components.image_example_gen.shards import make_shards
from components.image_example_gen.splitting.splits import plan_splits
from contracts.artifacts import features
from contracts.artifacts.example_shards import shard_path
from contracts.artifacts.manifest.dataset import Dataset
from contracts.artifacts.manifest.file_row import (
    INGESTED,
    ROWS_A_GROUP,
    FileRow,
    row_writer,
    rows_path,
)
from contracts.artifacts.manifest.rows import read_rows, write_part
from contracts.config.data import DataConfig
from contracts.images.reading import DEFAULT_READING
from tests.components.image_example_gen.conftest import job_of, whole_shard

PARTS = {"train": 8, "validation": 1, "test": 1}


def ingest(root: Path, target: Path, shards: int = 2, **options: Any) -> Dataset:
    """Ingest in this process, without moves between splits."""
    layout = read_layout(DataConfig(root=root, **options))
    job = job_of(layout, target, plan_splits(layout, PARTS))
    for shard in make_shards(layout.catalogue, 1 << 30, shards // 2):
        suffix = core.ingest(job, shard, {}, lambda position: None)
        write_part(job.manifest_uri, shard.part, suffix)
    write_skipped(job.manifest_uri, layout.skipped)
    dataset = summarise(job.manifest_uri, layout, job.split_plan, "listing", "settings")
    assert dataset.found == layout.found == dataset.ingested + dataset.quarantined
    assert dataset.found == len(read_rows(job.manifest_uri))
    return dataset


def table(target: Path) -> dict[str, dict[str, Any]]:
    rows = read_rows(str(target / "manifest")).to_pylist()
    return {row["path"]: row for row in rows}


def records(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack_from("<Q", content)
        yield content[12 : 12 + length]
        content = content[16 + length :]


def all_bytes(target: Path) -> dict[str, bytes]:
    files = (path for path in target.rglob("*") if path.is_file())
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in files}


def test_every_image_lands_in_the_split_that_the_manifest_says(
    image_folder: Path, tmp_path: Path
) -> None:
    dataset = ingest(image_folder, tmp_path / "out")
    assert (dataset.found, dataset.ingested, dataset.labels) == (80, 80, ("cat", "dog"))
    folder = tmp_path / "out" / "examples"
    for split in features.SPLITS:
        paths = sorted((folder / f"Split-{split}").iterdir())
        assert [path.name.rpartition("-")[0] for path in paths] == [
            f"data_tfrecord-{index:05}" for index in range(2)
        ]
        found = [record for path in paths for record in records(path)]
        assert len(found) == dataset.splits[split]
        rows = [row for row in table(tmp_path / "out").values() if row["split"] == split]
        for row in rows:
            assert any(row["path"].encode() in record for record in found)
    assert sum(dataset.splits.values()) == 80
    assert sum(sum(counts.values()) for counts in dataset.classes.values()) == 80


def test_what_cannot_be_read_is_quarantined_with_its_reason(
    image_folder: Path, tmp_path: Path
) -> None:
    good = (image_folder / "cat" / "000.jpg").read_bytes()
    bad = {
        "cat/truncated.jpg": (good[:-20], "truncated"),
        "cat/empty.jpg": (b"", "empty_file"),
        "dog/notes.txt": (b"no image", "unrecognised_format"),
        "dog/corrupt.png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "corrupt"),
        "dog/.hidden": (good, "hidden"),
        "loose.jpg": (good, "outside_class_folder"),
    }
    for path, (content, _) in bad.items():
        (image_folder / path).write_bytes(content)
    (image_folder / "dog" / "no ending").write_bytes(good)
    dataset = ingest(image_folder, tmp_path / "out")
    assert (dataset.found, dataset.ingested, dataset.quarantined) == (87, 81, 6)
    rows = table(tmp_path / "out")
    for path, (_, reason) in bad.items():
        assert (rows[path]["status"], rows[path]["reason"]) == ("quarantined", reason)
        assert rows[path]["detail"] and rows[path]["split"] is None
        assert dataset.quarantine_examples[reason] == [path]
    assert dataset.quarantine_reasons == dict.fromkeys(sorted({r for _, r in bad.values()}), 1)
    assert rows["dog/no ending"]["source_format"] == "JPEG"


def test_a_file_that_vanishes_is_quarantined(image_folder: Path, tmp_path: Path) -> None:
    layout = read_layout(DataConfig(root=image_folder))
    (shard,) = make_shards(layout.catalogue, 1 << 40, 0)
    (image_folder / "cat" / "000.jpg").unlink()
    (image_folder / "cat" / "002.jpg").unlink()
    (image_folder / "cat" / "002.jpg").mkdir()
    job = job_of(layout, tmp_path, plan_splits(layout, PARTS))
    write_part(job.manifest_uri, shard.part, core.ingest(job, shard, {}, lambda position: None))
    rows = table(tmp_path)
    assert rows["cat/000.jpg"]["reason"] == "vanished"
    assert rows["cat/002.jpg"]["reason"] == "unreadable_file"
    assert sum(row["status"] == "ingested" for row in rows.values()) == 78


def test_a_file_without_permission_is_quarantined(image_folder: Path, tmp_path: Path) -> None:
    (image_folder / "cat" / "000.jpg").chmod(0)
    if os.access(image_folder / "cat" / "000.jpg", os.R_OK):
        pytest.skip("this user may read every file")
    assert ingest(image_folder, tmp_path / "out").quarantine_reasons == {"no_permission": 1}


def test_two_ingestions_give_the_same_bytes(image_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    for path in sorted(image_folder.rglob("*.jpg"), reverse=True):
        target = copy / path.relative_to(image_folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    ingest(image_folder, tmp_path / "one")
    ingest(copy, tmp_path / "two")
    assert all_bytes(tmp_path / "one") == all_bytes(tmp_path / "two")


def test_duplicates_stand_on_one_side_whatever_their_class(
    image_folder: Path, tmp_path: Path
) -> None:
    for number in range(40):
        twin = image_folder / "dog" / f"twin of {number}.jpg"
        twin.write_bytes((image_folder / "cat" / f"{2 * number:03}.jpg").read_bytes())
    ingest(image_folder, tmp_path / "out")
    splits: dict[str, set[str]] = {}
    for row in table(tmp_path / "out").values():
        splits.setdefault(row["sha256"], set()).add(row["split"])
    assert len(splits) == 80
    assert all(len(some) == 1 for some in splits.values())


def test_added_and_renamed_images_move_no_old_one(
    image_folder: Path, tmp_path: Path, write_image: Callable[..., Path]
) -> None:
    ingest(image_folder, tmp_path / "before")
    for index in range(100, 200):
        write_image(image_folder / "cat" / f"{index}.jpg", seed=index)
    (image_folder / "dog").rename(image_folder / "hound")
    ingest(image_folder, tmp_path / "after", shards=4)
    after = {row["sha256"]: row["split"] for row in table(tmp_path / "after").values()}
    for row in table(tmp_path / "before").values():
        assert after[row["sha256"]] == row["split"]


def test_groups_stand_on_one_side(image_folder: Path, tmp_path: Path) -> None:
    ingest(image_folder, tmp_path / "out", group_by=r"/(\d\d)")
    rows = table(tmp_path / "out").values()
    assert len({row["group"] for row in rows}) == 8
    assert len({(row["group"], row["split"]) for row in rows}) == 8


def test_odd_names_are_stored_as_text(
    tmp_path: Path, image_folder: Path, write_image: Callable[..., Path]
) -> None:
    names = ["ü b.jpg", "a,'\"\n.jpg", "日本.jpg", os.fsdecode(b"caf\xe9.jpg"), "-rf *.jpg"]
    for seed, name in enumerate(names):
        write_image(image_folder / "Köter " / name, seed=100 + seed)
    dataset = ingest(image_folder, tmp_path / "out")
    assert (dataset.ingested, dataset.quarantined) == (85, 0)
    assert set(table(tmp_path / "out")) >= {"Köter /ü b.jpg", "Köter /caf\\xe9.jpg"}


@pytest.mark.parametrize("split", features.SPLITS)
def test_a_full_disk_is_an_error_and_no_reason(
    image_folder: Path, tmp_path: Path, split: str
) -> None:
    layout = read_layout(DataConfig(root=image_folder))
    job, shard = job_of(layout, tmp_path, plan_splits(layout, PARTS)), whole_shard(layout)
    target = shard_path(job.examples_uri, split, "00000")
    target.parent.mkdir(parents=True)
    target.with_name(f".{target.name}.partial").symlink_to("/dev/full")
    with pytest.raises(OSError) as caught:
        core.ingest(job, shard, {}, lambda position: None)
    assert caught.value.errno == errno.ENOSPC
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["..part-00000.rows.partial", ".part-00000-end.parquet.partial"])
def test_a_disk_too_full_for_the_manifest_is_an_error(
    image_folder: Path, tmp_path: Path, name: str
) -> None:
    layout = read_layout(DataConfig(root=image_folder))
    job, shard = job_of(layout, tmp_path, plan_splits(layout, PARTS)), whole_shard(layout)
    files = Path(job.manifest_uri, "files")
    files.mkdir(parents=True)
    (files / name).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        core.ingest(job, shard, {}, lambda position: None)
        write_part(job.manifest_uri, shard.part, "-end")
    assert not list(files.glob("*.parquet"))


def test_trouble_of_the_machine_is_no_reason(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    layout = read_layout(DataConfig(root=image_folder))
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        core.read_digests(
            layout.root, list(layout.files), DEFAULT_READING, False, lambda position: None
        )


def test_decoding_imports_nothing_that_takes_long() -> None:
    loaded = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import components.image_example_gen.core, contracts.images.isolation.worker, sys; "
            "print(*{'pyarrow', 'pandas', 'pydantic', 'apache_beam'} & sys.modules.keys())",
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    assert loaded.stdout.split() == []


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [
        FileRow(f"ä/{number}.jpg", "ä", "train", None, INGESTED, width=number, file_bytes=0)
        for number in range(ROWS_A_GROUP + 1)
    ]
    with row_writer(rows_path(str(tmp_path), "part-1")) as writer:
        for row in rows:
            writer.add(row)
    write_part(str(tmp_path), "part-1", "-end")
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["part-1-end.parquet"]
    assert [FileRow(**row) for row in read_rows(str(tmp_path)).to_pylist()] == rows


def test_the_fingerprint_is_the_same_in_several_passes(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = ingest(image_folder, tmp_path / "one").fingerprint
    monkeypatch.setattr(manifest_summary, "_IMAGES_A_PASS", 7)
    assert ingest(image_folder, tmp_path / "several").fingerprint == fingerprint


def test_labels_are_written_in_index_order(tmp_path: Path) -> None:
    core.write_labels(str(tmp_path / "new"), ["a", "Köter"])
    assert json.loads((tmp_path / "new" / "labels.json").read_bytes()) == ["a", "Köter"]


def test_shards_are_mixed_and_alike(image_folder: Path) -> None:
    layout = read_layout(DataConfig(root=image_folder))
    shards = list(make_shards(layout.catalogue, 1 << 30, 2))
    assert [shard.index for shard in shards] == [0, 1, 2, 3]
    files = list(layout.files)
    assert sorted(file for shard in shards for file in shard.files) == files
    for shard in shards:
        assert 15 <= len(shard.files) <= 25
        assert len({file.label for file in shard.files}) == 2
    by_size = list(make_shards(layout.catalogue, 5_000, 1))
    total = sum((layout.root / file.path).stat().st_size for file in files)
    assert len(by_size) == -(-total // 5_000)
    layout.catalogue.mark_covered(file.path.encode() for file in files[3:])
    for shard_bytes in (1, 1 << 30):
        few = list(make_shards(layout.catalogue, shard_bytes, 8))
        assert sorted(file for shard in few for file in shard.files) == files[:3]
        assert all(shard.files for shard in few)
