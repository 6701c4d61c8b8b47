"""Shards are measured in processes of their own."""

from pathlib import Path

import pytest

from components.image_validator.measured_images import MeasuredImages, measures_path
from components.image_validator.measurement import UnmeasuredShard, measure_shards
from contracts.images.isolation.pool import DecodePool
from contracts.images.isolation.worker import DecodeLimits
from contracts.system.errors import ComponentError
from tests.components.image_validator.conftest import photo, write_shard

LIMITS = DecodeLimits(seconds=60.0, memory_bytes=4 << 30)


def measure(examples: Path, report: Path) -> None:
    shards = [
        UnmeasuredShard(path, measures_path(str(report), f"{path.parent.name}/{path.name}"))
        for path in sorted(examples.glob("Split-*/*"))
    ]
    pool = DecodePool(2, LIMITS)
    try:
        measure_shards(pool, shards)
    finally:
        pool.close()


def test_every_image_of_every_shard_is_measured(tmp_path: Path) -> None:
    examples, report = tmp_path / "examples", tmp_path / "report"
    for split in ("train", "test"):
        rows = [(f"{split}/{seed}.png", "a", split, photo(seed)) for seed in range(3)]
        write_shard(examples, split, rows)
    measure(examples, report)
    pictures = MeasuredImages(str(report), str(examples))
    assert pictures.texts("path", range(len(pictures))) == [
        f"{split}/{seed}.png" for split in ("test", "train") for seed in range(3)
    ]


def test_a_damaged_shard_is_a_sentence_and_leaves_no_measures(tmp_path: Path) -> None:
    examples, report = tmp_path / "examples", tmp_path / "report"
    shard = write_shard(examples, "train", [("1.png", "a", "train", photo(1))])
    shard.write_bytes(shard.read_bytes()[:-5])
    with pytest.raises(ComponentError, match="expected a whole TFRecord file"):
        measure(examples, report)
    assert not list(report.rglob("Split-train/*"))
