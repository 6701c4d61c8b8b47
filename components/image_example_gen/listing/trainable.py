"""Tells by the numbers of files whether a listing can be trained on."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from components.image_example_gen.listing.entries import printable
from components.image_example_gen.listing.layout import Layout, LayoutKind
from components.image_example_gen.listing.leave_out import leave_out_key
from contracts.artifacts import features
from contracts.config.data import DataConfig
from contracts.system.errors import DataError, some_of

_FOR_TRAIN: Final[dict[LayoutKind, str]] = {
    "splits": "Add train/<class>/, or put the class folders into data.root itself.",
    "csv": "Write train into the column split, or empty the column to have splits cut.",
}
_FOR_CLASSES: Final[dict[LayoutKind, str]] = {
    "classes": (
        "Add a folder of another class. If the class folders stand inside that folder, "
        "name that folder as data.root."
    ),
    "splits": "Add folders of other classes to the splits: <split>/<class>/.",
    "csv": "Add rows with another label.",
}


def missing_splits(layout: Layout) -> list[str]:
    """Return the splits that the data lacks: they are cut out of the training images."""
    return [split for split in features.SPLITS[1:] if split not in layout.splits]


def require_trainable(layout: Layout, data: DataConfig) -> None:
    """Raise unless every class has enough files for the splits.

    Raises:
      DataError: there is no image, only one class, no training split, or there are classes
        with too few images; all of it at once.
    """
    if not layout.counts:
        raise DataError(_no_files(layout, data))
    if not _pool(layout):
        raise DataError(
            f"data.root: expected training images in {data.root}, received only images of "
            f"{' and '.join(layout.splits)}. {_FOR_TRAIN[layout.kind]}"
        )
    problems = []
    if len(layout.labels) == 1:
        problems.append(
            f"data.root: expected at least 2 classes in {data.root}, found only "
            f"{layout.labels[0]!r}. {_FOR_CLASSES[layout.kind]}"
        )
    problems += _too_small(layout, data)
    if problems:
        raise DataError(problems)


def add_or_leave_out(kind: LayoutKind, what: str, labels: Sequence[str]) -> str:
    """Return the next step for classes with too few images."""
    added = f"rows of {what}" if kind == "csv" else what
    return f"Add {added}, or leave the classes out: {leave_out_key(labels)}."


def _pool(layout: Layout) -> Counter[str]:
    """Count the training images by label: those of the split train, and those without a split."""
    sizes: Counter[str] = Counter()
    for (label, split), count in layout.counts.items():
        if split in (None, features.TRAIN):
            sizes[label] += count
    return sizes


def _no_files(layout: Layout, data: DataConfig) -> str:
    """Return why no entry may be an image, and the next step."""
    root, reasons = data.root, layout.catalogue.skip_reasons()
    is_table = layout.kind == "csv"
    if not reasons and is_table:
        return f"data.root: {root} has no rows. Add a row for each image."
    if not reasons:
        return f"data.root: the class folders of {root} hold no files. Put images into them."
    counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    what = "files and rows" if is_table else "entries"
    next_step = "Put images into the class folders."
    if is_table:
        next_step = f"Correct paths and labels: paths are relative to {root.parent}."
    return (
        f"data.root: none of the {sum(reasons.values())} {what} of {root} can be an image "
        f"({counts}), e.g. {printable(next(iter(layout.skipped)).path)}. {next_step}"
    )


def _too_small(layout: Layout, data: DataConfig) -> list[str]:
    """Return a problem for the classes that are too small for the splits."""
    cut = missing_splits(layout)
    needed = 1 + len(cut)
    sizes = _pool(layout)
    missing = [label for label in layout.labels if not sizes[label]]
    small = [label for label in layout.labels if 0 < sizes[label] < needed]
    problems = []
    if missing:
        problems.append(
            f"data.root: expected training images of every class in {data.root}, found none of "
            f"{some_of(missing)}. {add_or_leave_out(layout.kind, 'training images', missing)}"
        )
    if small:
        counted = [f"{label} ({sizes[label]})" for label in small]
        problems.append(
            f"data.root: expected at least {needed} training images of every class in "
            f"{data.root}, one for train and one for each split to be cut ({', '.join(cut)}); "
            f"found fewer of {some_of(counted)}. {add_or_leave_out(layout.kind, 'images', small)}"
        )
    return problems
