"""Compares two manifests."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.artifacts.manifest.rows import read_rows


class ComparedRow(NamedTuple):
    """The compared columns of a manifest row."""

    path: str
    label: str | None
    split: str | None
    sha256: str | None


class ImageChange(NamedTuple):
    """An image that is in both manifests, with its row before and now."""

    before: ComparedRow
    now: ComparedRow


@dataclass
class ManifestDifference:
    """The changes from one manifest to another, each list sorted by path.

    Images are matched by content. `relabelled` images were moved to another class, `renamed` images
    only have another path. `changed` files have other content under the same path and label.
    `resplit` images are unchanged but in another split.
    """

    added: list[ComparedRow] = field(default_factory=list)
    removed: list[ComparedRow] = field(default_factory=list)
    changed: list[ImageChange] = field(default_factory=list)
    relabelled: list[ImageChange] = field(default_factory=list)
    renamed: list[ImageChange] = field(default_factory=list)
    resplit: list[ImageChange] = field(default_factory=list)


def compare_manifests(before_uri: str, now_uri: str) -> ManifestDifference:
    """Return the changes from the manifest at `before_uri` to the one at `now_uri`."""
    found = ManifestDifference()
    before = {row.path: row for row in _rows(before_uri)}
    new: list[ComparedRow] = []
    for row in sorted(_rows(now_uri), key=lambda row: row.path):
        old = before.get(row.path)
        if old is None or (old.sha256 != row.sha256 and old.label != row.label):
            new.append(row)
            continue
        del before[row.path]
        _add(found, old, row)
    gone: dict[str | None, list[ComparedRow]] = defaultdict(list)
    for old in sorted(before.values(), key=lambda row: row.path, reverse=True):
        gone[old.sha256].append(old)
    for row in new:
        if row.sha256 is not None and gone[row.sha256]:
            _add(found, gone[row.sha256].pop(), row)
        else:
            found.added.append(row)
    left = (row for rows in gone.values() for row in rows)
    found.removed = sorted(left, key=lambda row: row.path)
    return found


def _add(found: ManifestDifference, old: ComparedRow, row: ComparedRow) -> None:
    move = ImageChange(old, row)
    if old.label != row.label:
        found.relabelled.append(move)
    elif old.sha256 != row.sha256:
        found.changed.append(move)
    elif old.path != row.path:
        found.renamed.append(move)
    elif old.split != row.split:
        found.resplit.append(move)


def _rows(uri: str) -> Iterator[ComparedRow]:
    """Give the rows of all files with a label."""
    table = read_rows(uri, list(ComparedRow._fields)).select(ComparedRow._fields)
    columns = (column.to_pylist() for column in table.columns)
    return (ComparedRow(*cells) for cells in zip(*columns, strict=True) if cells[1] is not None)
