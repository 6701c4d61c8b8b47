"""The section `data` -> which files there are, of which class, split and group."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from components.image_example_gen.listing.catalogue import Kind, Layout
from components.image_example_gen.listing.entries import ImageFile, SkippedFile, printable
from components.image_example_gen.listing.folder import read_folder
from components.image_example_gen.listing.table import read_table
from contracts import features
from contracts.config import DataConfig
from contracts.errors import DataError, some_of
from contracts.remote_path import RemotePath, Root

__all__ = [
    "ImageFile",
    "Kind",
    "Layout",
    "SkippedFile",
    "missing_splits",
    "printable",
    "read_layout",
    "require_trainable",
]


def read_layout(data: DataConfig) -> Layout:
    """Return what `data.root` holds, reading names (and a CSV) but no image.

    Raises:
      DataError: the root does not exist, is empty, or cannot be read as a folder of classes,
        a folder of splits of classes, or a CSV; the text says what to do.
    """
    root = data.root
    if isinstance(root, Path):
        root = root.expanduser()
    elif root.suffix.lower() != ".csv":
        return _finished(_grouped(read_folder(root), data.group_by), data)
    if isinstance(root, Path) and root.is_dir():
        return _finished(_grouped(read_folder(root), data.group_by), data)
    if (isinstance(root, RemotePath) or root.is_file()) and root.suffix.lower() == ".csv":
        layout, has_group_column = read_table(root, data.group_by)
        if not has_group_column:
            layout = _grouped(layout, data.group_by)
        return _finished(layout, data)
    if root.is_file():
        raise DataError(
            f"data.root: expected an image folder or a .csv file, received the file {root}. "
            "Unpack an archive first and name the folder."
        )
    raise DataError(
        f"data.root: {root} does not exist. "
        "Name an image folder, or a CSV with the columns path,label."
    )


def _finished(layout: Layout, data: DataConfig) -> Layout:
    """Return `layout` without the labels to leave out; the description says what looks odd.

    Raises:
      DataError: a label to leave out is none of the data's.
    """
    labels = layout.labels
    unknown = sorted(set(data.leave_out) - set(labels))
    if unknown:
        raise DataError(
            f"data.leave_out: expected labels of {data.root} ({some_of(labels)}), received "
            f"{some_of(unknown)}. Correct them, or remove them."
        )
    if data.leave_out:
        detail = "its label is one of data.leave_out"
        layout.catalogue.leave_out(data.leave_out, "label_left_out", detail)
        layout = replace(layout)  # which forgets the counts
    by_name: dict[str, list[str]] = {}
    for label in layout.labels:
        by_name.setdefault(label.casefold(), []).append(label)
    alike = [" and ".join(names) for names in by_name.values() if len(names) > 1]
    if not alike:
        return layout
    odd = f" Classes that differ only in upper and lower case: {some_of(alike)}."
    return replace(layout, description=layout.description + odd)


def missing_splits(layout: Layout) -> list[str]:
    """Return the splits that have to be cut out of the training images, since none is brought."""
    return [split for split in features.SPLITS[1:] if split not in layout.splits]


def require_trainable(layout: Layout, data: DataConfig) -> None:
    """Return only if every class can stand in every split that it has to.

    Raises:
      DataError: there is no image, only one class, no training split, or there are classes
        with too few images; all of it at once.
    """
    if not layout.counts:
        raise DataError(_no_files(layout, data.root))
    if layout.splits and features.TRAIN not in layout.splits and not _pool(layout):
        raise DataError(
            f"data.root: {data.root} brings {' and '.join(layout.splits)} but no training images. "
            "Add the split train, or remove the splits to have them cut."
        )
    problems = []
    if len(layout.labels) == 1:
        problems.append(
            f"data.root: expected at least 2 classes in {data.root}, found only "
            f"{layout.labels[0]!r}. If the class folders stand inside that folder, "
            "name that folder as data.root."
        )
    problems += _too_small(layout, data)
    if problems:
        raise DataError(problems)


def _pool(layout: Layout) -> Counter[str]:
    """Count the training images by label: those that the data calls so, or says nothing about."""
    sizes: Counter[str] = Counter()
    for (label, split), count in layout.counts.items():
        if split in (None, features.TRAIN):
            sizes[label] += count
    return sizes


def _no_files(layout: Layout, root: Root) -> str:
    reasons = layout.catalogue.skip_reasons()
    if not reasons:
        return f"data.root: the class folders of {root} hold no files. Put images into them."
    counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return (
        f"data.root: none of the {sum(reasons.values())} entries of {root} can be an image "
        f"({counts}), e.g. {printable(next(iter(layout.skipped)).path)}. "
        "Put images into the class folders, or correct the paths of the table."
    )


def _too_small(layout: Layout, data: DataConfig) -> list[str]:
    """Name the classes that cannot give a training image and one to each split to be cut."""
    cut = missing_splits(layout)
    needed = 1 + len(cut)
    sizes = _pool(layout)
    missing = [label for label in layout.labels if not sizes[label]]
    small = [f"{label} ({sizes[label]})" for label in layout.labels if 0 < sizes[label] < needed]
    problems = []
    if missing:
        problems.append(
            f"data.root: expected training images of every class in {data.root}, found none of "
            f"{some_of(missing)}. Add training images of them, or remove the classes."
        )
    if small:
        problems.append(
            f"data.root: expected at least {needed} training images of every class in "
            f"{data.root}, one for train and one for each split to be cut ({', '.join(cut)}); "
            f"found fewer of {some_of(small)}. Add images, or remove the classes."
        )
    return problems


def _grouped(layout: Layout, group_by: str | None) -> Layout:
    """Return `layout` with the groups that the regular expression `group_by` finds in paths.

    The group is what the expression's first group matches, or the whole match where it has none.
    A path that does not match has no group.

    Raises:
      DataError: it is no regular expression, or no path matches.
    """
    if group_by is None or not layout.counts:
        return layout
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise DataError(
            f"data.group_by: {group_by!r} is neither a column nor a regular expression ({error})."
        ) from error
    which = 1 if pattern.groups else 0
    has_match = False

    def group_of(path: str) -> str | None:
        nonlocal has_match
        match = pattern.search(path)
        has_match = has_match or match is not None
        return printable(match[which] or "") or None if match else None

    groups = layout.catalogue.group(group_of)
    if not has_match:
        raise DataError(
            f"data.group_by: {group_by!r} is no column and matches none of the "
            f"{len(layout.files)} paths, e.g. {printable(next(iter(layout.files)).path)}. "
            "Name a column of the CSV, or a regular expression that finds the group in the path."
        )
    description = f"{layout.description} Groups: {groups}, by {group_by!r} on the path."
    return replace(layout, description=description)
