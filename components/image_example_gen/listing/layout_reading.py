"""The section `data` -> the layout: the files, with class, split and group."""

import re
from dataclasses import replace
from pathlib import Path

from components.image_example_gen.listing.entries import (
    printable,
    text_of,
)
from components.image_example_gen.listing.folder.folder_listing import read_folder
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.table.table_listing import read_table
from contracts.config.data import DataConfig
from contracts.system.errors import DataError, some_of
from contracts.system.storage.remote_path import RemotePath
from contracts.system.unicode_form import composed


def read_layout(data: DataConfig) -> Layout:
    """Return the layout of `data.root`, by names and a CSV; no image is read.

    Raises:
      DataError: the root does not exist, is empty, or cannot be read as a folder of classes,
        a folder of splits of classes, or a CSV; the text says what to do.
    """
    root = data.root.expanduser() if isinstance(data.root, Path) else data.root
    is_table = root.suffix.lower() == ".csv" and not (isinstance(root, Path) and root.is_dir())
    if is_table and (isinstance(root, RemotePath) or root.is_file()):
        layout, has_group_column = read_table(root, data.group_by, data.leave_out)
        return _check_labels(
            layout if has_group_column else _set_groups(layout, data.group_by), data
        )
    if isinstance(root, RemotePath) or root.is_dir():
        return _check_labels(_set_groups(read_folder(root, data.leave_out), data.group_by), data)
    if root.is_file():
        raise DataError(
            f"data.root: expected an image folder or a .csv file, received the file {root}. "
            "Unpack an archive first and name the folder."
        )
    raise DataError(
        f"data.root: {root} does not exist. "
        "Name an image folder, or a CSV with the columns path,label."
    )


def _check_labels(layout: Layout, data: DataConfig) -> Layout:
    """Return `layout` with a description that names odd labels.

    Raises:
      DataError: a name to leave out is none of the data's labels and folders.
    """
    known = sorted({*layout.labels, *layout.empty_classes, *layout.unused})
    unknown = sorted(set(data.leave_out) - set(known))
    if unknown:
        raise DataError(
            f"data.leave_out: expected labels or folders of {data.root} ({some_of(known)}), "
            f"received {some_of(unknown)}. Correct them, or remove them."
        )
    by_name: dict[str, list[str]] = {}
    for label in layout.labels:
        by_name.setdefault(label.casefold(), []).append(label)
    alike = [" and ".join(names) for names in by_name.values() if len(names) > 1]
    if not alike:
        return layout
    odd = f" Classes that differ only in upper and lower case: {some_of(alike)}."
    return replace(layout, description=layout.description + odd)


def _set_groups(layout: Layout, group_by: str | None) -> Layout:
    """Return `layout` with the groups that the regular expression `group_by` finds in paths.

    The group is what the expression's first group matches, or the whole match where it has none.
    A path that does not match has no group.

    Raises:
      DataError: it is no regular expression, or no path matches.
    """
    if group_by is None or not layout.counts:
        return layout
    try:
        pattern = re.compile(composed(group_by))
    except re.error as error:
        raise DataError(
            f"data.group_by: {group_by!r} is neither a column nor a regular expression ({error})."
        ) from error
    which = 1 if pattern.groups else 0
    has_match = False

    def group_of(path: str) -> str | None:
        nonlocal has_match
        match = pattern.search(composed(path))
        has_match = has_match or match is not None
        return text_of(match[which] or "") or None if match else None

    groups = layout.catalogue.group(group_of)
    if not has_match:
        raise DataError(
            f"data.group_by: {group_by!r} is no column and matches none of the "
            f"{len(layout.files)} paths, e.g. {printable(next(iter(layout.files)).path)}. "
            "Name a column of the CSV, or a regular expression that finds the group in the path."
        )
    description = f"{layout.description} Groups: {groups}, by {group_by!r} on the path."
    return replace(layout, description=description)
