import numpy as np
import pytest
from PIL import Image

from components.image_example_gen.ingestion import (
    IngestionTarget,
    decode_limits,
    ingest_dataset,
    ingest_shards,
)
from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.previous_ingestion import PreviousIngestion
from contracts.artifacts.manifest.value_range import ValueRange, value_range_sentences
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool
from contracts.images.reading import ImageReading


def write_deep(folder, brightest, images=12, start=0) -> None:
    """Write two classes of 16-bit pictures; the brightest value of them stands in each."""
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(start, start + images):
            seed = np.random.default_rng([number, ord(label)])
            values = seed.integers(0, brightest + 1, (16, 16)).astype(np.uint16)
            values[0, 0] = brightest
            Image.fromarray(values).save(folder / label / f"{number:03}.png")


@pytest.fixture
def ingest(tmp_path):
    """Return a function that ingests a folder; it gives the counts, and where they lie."""
    pools = []

    def run(root, name, previous=None, **settings):
        data = DataConfig(root=root, **settings)
        pool = DecodePool(2, decode_limits(data))
        pools.append(pool)
        target = IngestionTarget(
            str(tmp_path / name / "e"), str(tmp_path / name / "m"), "digest", previous
        )
        dataset = ingest_dataset(
            read_layout(data), data, pool, target, lambda *job: ingest_shards(pool, *job)
        )
        past = PreviousIngestion(
            target.examples_uri, target.manifest_uri, dataset.settings, dataset.moved, dataset.parts
        )
        return dataset, ImageReading.read(tmp_path / name / "e"), past

    yield run
    for pool in pools:
        pool.close()


@pytest.mark.parametrize(("brightest", "white"), [(255, 255), (4000, 4095), (65535, 65535)])
def test_white_is_what_the_data_set_uses(ingest, tmp_path, brightest, white) -> None:
    write_deep(tmp_path / "photos", brightest)
    dataset, reading, _ = ingest(tmp_path / "photos", "first")
    assert reading.integer_range == (0, white)
    assert dataset.value_ranges == {"integer": ValueRange(0, white, 24, "sample")}
    (sentence,) = value_range_sentences(dataset.value_ranges)
    assert f"are read with 0 as black and {white} as white: the 24 of them" in sentence


def test_the_config_fixes_the_range(ingest, tmp_path) -> None:
    write_deep(tmp_path / "photos", 255)
    dataset, reading, _ = ingest(tmp_path / "photos", "first", value_range=(0, 1000))
    assert reading.integer_range == (0, 1000)
    assert dataset.value_ranges == {"integer": ValueRange(0, 1000, 24, "config")}


def test_images_of_eight_bits_have_no_range(ingest, tmp_path, write_image) -> None:
    for number in range(12):
        for label in ("a", "b"):
            write_image(tmp_path / "photos" / label / f"{number}.png", 2 * number + (label == "b"))
    dataset, _, _ = ingest(tmp_path / "photos", "first")
    assert dataset.value_ranges == {}
    assert value_range_sentences(dataset.value_ranges) == []


def test_an_added_image_beyond_the_range_is_named_and_moves_no_other(ingest, tmp_path) -> None:
    write_deep(tmp_path / "photos", 255)
    _, _, past = ingest(tmp_path / "photos", "first")
    write_deep(tmp_path / "photos", 4000, images=1, start=50)
    dataset, reading, _ = ingest(tmp_path / "photos", "second", past)
    assert reading.integer_range == (0, 255)
    assert dataset.value_ranges == {"integer": ValueRange(0, 255, 26, "earlier")}
    assert dataset.quarantine_reasons == {"values_out_of_range": 2}
    assert dataset.found == dataset.ingested + dataset.quarantined == 26
