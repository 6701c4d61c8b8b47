"""Shards are measured in processes of their own, and only once."""

from pathlib import Path

import pytest

from components.image_validator.pictures import Pictures
from components.image_validator.shards import link_measured, measure_shards, shards_of
from contracts.images.isolation.pool import DecodePool
from contracts.images.isolation.worker import Limits
from contracts.system.errors import ComponentError
from tests.components.image_validator.conftest import photo, write_shard

LIMITS = Limits(seconds=60.0, memory_bytes=4 << 30)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    for split in ("train", "test"):
        rows = [(f"{split}/{seed}.png", "a", split, photo(seed)) for seed in range(3)]
        write_shard(tmp_path / "examples", split, rows)
    return tmp_path / "examples"


def measure(examples: Path, report: Path) -> list[str]:
    """Measure what no earlier report has, and return the shards that were."""
    report.mkdir(parents=True)
    left = link_measured(shards_of(str(examples), str(report)), str(report), "code 1")
    pool = DecodePool(2, LIMITS)
    try:
        measure_shards(pool, left, "code 1")
    finally:
        pool.close()
    return [shard.source.parent.name for shard in left]


def test_a_second_report_links_what_the_first_has_measured(examples, tmp_path):
    first, second = tmp_path / "report" / "1", tmp_path / "report" / "2"
    assert measure(examples, first) == ["Split-test", "Split-train"]
    shard = next((examples / "Split-test").iterdir())
    rows = [("test/9.png", "a", "test", photo(9))]
    shard.unlink()
    write_shard(examples, "test", rows)
    assert measure(examples, second) == ["Split-test"]
    linked = next(second.rglob("Split-train/*.parquet"))
    assert linked.samefile(first / linked.relative_to(second))
    pictures = Pictures(str(second), str(examples))
    assert pictures.texts("path", range(len(pictures))) == [
        "test/9.png",
        *(f"train/{seed}.png" for seed in range(3)),
    ]
    shards = shards_of(str(examples), str(tmp_path / "report" / "3"))
    (tmp_path / "report" / "3").mkdir()
    assert link_measured(shards, str(tmp_path / "report" / "3"), "code 2") == shards


def test_a_damaged_shard_is_a_sentence_and_leaves_no_measures(examples, tmp_path):
    shard = next((examples / "Split-train").iterdir())
    shard.write_bytes(shard.read_bytes()[:-5])
    with pytest.raises(ComponentError, match="expected a whole TFRecord file"):
        measure(examples, tmp_path / "report" / "1")
    assert not list((tmp_path / "report" / "1").rglob("Split-train/*"))
