"""Chooses the values of black and white for images of more than 8 bits, one range a kind."""

from collections.abc import Iterator
from pathlib import Path

from components.image_example_gen import crash_recovery
from components.image_example_gen.listing.entries import ImageFile, printable
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.previous_ingestion import PreviousIngestion
from components.image_example_gen.reading.image_file import Extent
from contracts.artifacts.manifest.rows import holds_any
from contracts.artifacts.manifest.value_range import Source, ValueRange
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool
from contracts.images.reading import ImageReading
from contracts.images.values import KINDS, fitting_range

# Files of the sample; most are read only to the first bytes.
SAMPLE = 512


def decide_reading(
    pool: DecodePool, layout: Layout, data: DataConfig, previous: PreviousIngestion | None
) -> tuple[ImageReading, dict[str, ValueRange]]:
    """Return the rules of reading, and the value range of each kind of deep images in the sample.

    The range comes from the config; else from the previous ingestion if it holds one of these
    images; else it is the range that the sample fits into.
    """
    reading = data.reading()
    sample = list(_read_sample(pool, layout, reading))
    by_kind = {kind: [one for _, one in sample if one.kind == kind] for kind in KINDS}
    found = {kind: extents for kind, extents in by_kind.items() if extents}
    source: Source = "config"
    if data.value_range is None and found:
        before = _reading_of(previous, [file for file, _ in sample])
        source = "earlier" if before else "sample"
        for kind, extents in found.items():
            extent = min(one.low for one in extents), max(one.high for one in extents)
            values = before.range_of(kind) if before else fitting_range(kind, extent)
            reading = reading.with_range(kind, values)
    ranges: dict[str, ValueRange] = {
        kind: ValueRange(*reading.range_of(kind), len(extents), source)
        for kind, extents in found.items()
    }
    return reading, ranges


def _reading_of(previous: PreviousIngestion | None, files: list[ImageFile]) -> ImageReading | None:
    """Return the rules of reading of the previous ingestion, if it holds one of these files."""
    paths = [printable(file.path) for file in files]
    if previous is None or not holds_any(previous.manifest_uri, paths):
        return None
    return ImageReading.read(Path(previous.examples_uri))


def _read_sample(
    pool: DecodePool, layout: Layout, reading: ImageReading
) -> Iterator[tuple[ImageFile, Extent]]:
    """Give the deep images of the sample and their extents."""
    files = layout.catalogue.sample(SAMPLE)
    for file, extent in crash_recovery.read_each_file(
        pool, crash_recovery.read_extents, layout.root, files, reading
    ):
        if extent is not None:
            yield file, extent
