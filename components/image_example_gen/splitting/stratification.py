"""Plans the splits with the keys of small classes; files of large classes are not read."""

from collections.abc import Iterator, Sequence

from components.image_example_gen import crash_recovery
from components.image_example_gen.listing.entries import ImageFile
from components.image_example_gen.listing.file_index import UNREADABLE
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.previous_ingestion import PreviousIngestion, settled_keys
from components.image_example_gen.splitting.splits import (
    SplitPlan,
    balance_splits,
    find_small_classes,
    plan_splits,
    split_key,
)
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool
from contracts.images.reading import ImageReading


def plan_stratified_splits(
    pool: DecodePool,
    layout: Layout,
    data: DataConfig,
    reading: ImageReading,
    previous: PreviousIngestion | None,
) -> SplitPlan:
    """Return the plan of the splits, with moves that give each split its part of small classes.

    Images of these classes are read if their keys are not known. Images of the previous ingestion
    keep their splits, unless the configured parts have changed.
    """
    plan = plan_splits(layout, data.splits.model_dump())
    small = find_small_classes(layout, plan)
    settled: set[str] = set()
    if previous is not None and previous.parts == plan.shares:
        plan = SplitPlan(plan.shares, dict(previous.moved))
        settled = settled_keys(previous, {*small.checked, *small.hashed})
    keys = [*_read_keys(pool, layout, small.checked, reading, is_checked=True)]
    keys += _read_keys(pool, layout, small.hashed, reading, is_checked=False)
    return balance_splits(plan, keys, settled)


def _read_keys(
    pool: DecodePool,
    layout: Layout,
    labels: Sequence[str],
    reading: ImageReading,
    *,
    is_checked: bool,
) -> Iterator[tuple[str, str]]:
    """Give label and key of every readable image of some classes."""
    unknown: list[ImageFile] = []
    for file, digest in layout.catalogue.files_to_cut(labels):
        if is_checked or (digest is None and not file.group):
            unknown.append(file)
        elif digest != UNREADABLE:
            yield file.label, split_key(file.group, digest or "")
    for file, digest in crash_recovery.read_each_file(
        pool, crash_recovery.read_digests, layout.root, unknown, reading, is_checked
    ):
        if digest is not None:
            yield file.label, split_key(file.group, digest)
