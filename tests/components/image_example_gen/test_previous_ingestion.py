"""Images that were ingested before are not decoded again, and nothing stale is taken over."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from components.image_example_gen.ingestion import (
    IngestionTarget,
    decode_limits,
    ingest_dataset,
    ingest_shards,
)
from components.image_example_gen.listing.file_index import FileIndex
from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.previous_ingestion import PreviousIngestion
from contracts.artifacts import features
from contracts.artifacts.manifest.dataset import Dataset
from contracts.artifacts.manifest.rows import read_rows
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool


class Ingested:
    """An ingestion of a folder, perhaps on top of an earlier one."""

    def __init__(self, root: Path, folder: Path, earlier: "Ingested | None" = None) -> None:
        data = DataConfig(root=root)
        self.target = IngestionTarget(
            str(folder / "examples"),
            str(folder / "manifest"),
            "listing",
            earlier and earlier.seen,
        )
        self.decoded: list[str] = []
        pool = DecodePool(2, decode_limits(data))
        try:
            run = partial(self._run, pool)
            layout = read_layout(data)
            if earlier:
                FileIndex(layout).read_unknown()
            self.dataset: Dataset = ingest_dataset(layout, data, pool, self.target, run)
        finally:
            pool.close()

    def _run(self, pool, job, shards, images) -> None:
        shards = list(shards)
        self.decoded += [file.path for shard in shards for file in shard.files]
        assert len(self.decoded) == images
        ingest_shards(pool, job, shards, images)

    @property
    def seen(self) -> PreviousIngestion:
        known = self.dataset
        return PreviousIngestion(
            self.target.examples_uri,
            self.target.manifest_uri,
            known.settings,
            known.moved,
            known.parts,
        )

    def rows(self) -> dict[str, tuple]:
        found = read_rows(self.target.manifest_uri).to_pylist()
        return {row["path"]: tuple(row.values()) for row in found}

    def records(self) -> dict[str, list[bytes]]:
        """Return the examples of each split, in no particular order."""
        tf = pytest.importorskip("tensorflow")
        root = Path(self.target.examples_uri)
        return {
            split: sorted(
                record
                for path in (root / f"Split-{split}").iterdir()
                for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
            )
            for split in features.SPLITS
        }


def same(one: Ingested, other: Ingested) -> bool:
    return one.rows() == other.rows() and one.records() == other.records()


@pytest.fixture
def first(image_folder: Path, tmp_path: Path) -> Ingested:
    (image_folder / "cat" / "broken.jpg").write_bytes(b"broken")
    return Ingested(image_folder, tmp_path / "first")


def test_new_images_alone_are_decoded(
    first: Ingested, image_folder: Path, tmp_path: Path, write_image: Callable[..., Path]
) -> None:
    for seed in (500, 501):
        write_image(image_folder / "dog" / f"{seed}.jpg", seed=seed)
    second = Ingested(image_folder, tmp_path / "second", first)
    assert sorted(second.decoded) == ["dog/500.jpg", "dog/501.jpg"]
    assert second.dataset.found == 83
    assert second.dataset.quarantine_reasons == {"unrecognised_format": 1}
    assert same(second, Ingested(image_folder, tmp_path / "anew"))
    third = Ingested(image_folder, tmp_path / "third", second)
    assert third.decoded == []
    assert same(third, second)


def change(path: Path) -> None:
    """Change a pixel's worth of the file and nothing that a listing shows."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    "touch",
    [
        change,
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("renamed.jpg")),
        lambda path: path.rename(path.parent.parent / "dog" / "relabelled.jpg"),
    ],
    ids=["changed", "removed", "renamed", "relabelled"],
)
def test_a_shard_with_a_file_that_is_no_longer_the_same_is_written_anew(
    first: Ingested, image_folder: Path, tmp_path: Path, touch: Callable[[Path], object]
) -> None:
    touch(image_folder / "cat" / "000.jpg")
    second = Ingested(image_folder, tmp_path / "second", first)
    assert 0 < len(second.decoded) < 60
    assert same(second, Ingested(image_folder, tmp_path / "anew"))


def test_what_was_ingested_before_stays_when_it_is_taken_over(
    first: Ingested, image_folder: Path, tmp_path: Path
) -> None:
    before = first.rows(), first.records()
    (image_folder / "cat" / "000.jpg").unlink()
    Ingested(image_folder, tmp_path / "second", first)
    assert (first.rows(), first.records()) == before


def test_too_many_small_shards_are_not_carried_on(
    first: Ingested, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.image_example_gen.previous_ingestion.SHARDS_AT_MOST", 3)
    second = Ingested(image_folder, tmp_path / "second", first)
    assert len(second.decoded) == 81


def splits_of(ingested: Ingested) -> dict[str, str]:
    rows = read_rows(ingested.target.manifest_uri).to_pylist()
    return {row["path"]: row["split"] for row in rows if row["split"]}


def test_no_old_image_moves_to_another_split_and_parts_stay_exact(
    first: Ingested, image_folder: Path, tmp_path: Path, write_image: Callable[..., Path]
) -> None:
    assert first.dataset.parts == {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert first.dataset.classes["dog"] == {"train": 32, "validation": 4, "test": 4}
    before = splits_of(first)
    ingested = first
    for step, more in enumerate((7, 13, 40)):
        for number in range(more):
            write_image(image_folder / "dog" / f"{step}-{number}.jpg", seed=1000 * step + number)
        ingested = Ingested(image_folder, tmp_path / f"step {step}", ingested)
        now = splits_of(ingested)
        assert before.items() <= now.items()
        before = now
    assert ingested.dataset.classes["dog"] == {"train": 80, "validation": 10, "test": 10}
