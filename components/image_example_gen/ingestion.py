"""What the ingestion of a whole listing takes besides that of its shards."""

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

from components.image_example_gen import isolation, splits
from components.image_example_gen.decode_pool import DecodePool
from components.image_example_gen.layout import ImageFile, Layout
from components.image_example_gen.manifest import Dataset
from components.image_example_gen.splits import Cut
from contracts import features
from contracts.errors import DataError, some_of

_FILES_A_CALL = 64


def cut_splits(pool: DecodePool, layout: Layout, parts: Mapping[str, int]) -> Cut:
    """Return how the splits that the data does not bring are cut, by the configured `parts`.

    Reads the images of small classes, so that each of these stands in every split.
    """
    cut = splits.cut_of(layout, parts)
    small = splits.small_classes(layout, cut)
    pending: list[tuple[list[ImageFile], Future[list[str | None]]]] = []
    for files, decode in ((small.checked, True), (small.hashed, False)):
        for start in range(0, len(files), _FILES_A_CALL):
            some = files[start : start + _FILES_A_CALL]
            future = pool.submit(isolation.read_digests, layout.root, some, decode)
            pending.append((some, future))
    keys = [
        (file.label, splits.key_of(file, digest))
        for some, future in pending
        for file, digest in zip(some, future.result(), strict=True)
        if digest is not None
    ]
    return splits.with_moves(cut, keys)


def require_ingested(dataset: Dataset, root: Path) -> None:
    """Return only if the readable images are enough to train on.

    Raises:
      DataError: no image of a class can be trained on, or a split is empty.
    """
    reasons = dataset.quarantine_reasons
    why = "; ".join(
        f"{count} {reason}, e.g. {dataset.quarantine_examples[reason][0]}"
        for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    )
    left_out = f"{dataset.quarantined} of {dataset.found} files were left out: {why}."
    if not dataset.ingested:
        raise DataError(f"data.root: no readable image in {root}. {left_out}")
    untrained = [label for label, counts in dataset.classes.items() if not counts[features.TRAIN]]
    empty = [split for split, count in dataset.splits.items() if not count]
    problems = []
    if untrained:
        problems.append(
            f"data.root: no readable training image of {some_of(untrained)} in {root}. "
            f"{left_out} Add images, or remove the classes."
        )
    elif empty:
        problems.append(
            f"data.root: no readable image for {' and '.join(empty)} in {root}. "
            f"{left_out} Add images."
        )
    if problems:
        raise DataError(problems)
