"""Two manifests -> what became of the images between them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.artifacts.manifest.rows import read_rows


class ComparedRow(NamedTuple):
    """What a manifest says of a file, as far as two of them are compared."""

    path: str
    label: str | None
    split: str | None
    sha256: str | None


class ImageChange(NamedTuple):
    """A picture that is still there, and what it is called and counts as, before and now."""

    before: ComparedRow
    now: ComparedRow


@dataclass
class ManifestDifference:
    """What became of the files of one manifest in another, sorted by path.

    A picture is known by its content: one that was moved into the folder of another class is
    `relabelled`, one that was only renamed is `renamed`. `changed` are files that hold another
    picture under the same name and label. `resplit` are unchanged ones in another split.
    """

    added: list[ComparedRow] = field(default_factory=list)
    removed: list[ComparedRow] = field(default_factory=list)
    changed: list[ImageChange] = field(default_factory=list)
    relabelled: list[ImageChange] = field(default_factory=list)
    renamed: list[ImageChange] = field(default_factory=list)
    resplit: list[ImageChange] = field(default_factory=list)


def compare_manifests(before_uri: str, now_uri: str) -> ManifestDifference:
    """Return what became of the files between the manifests at two places."""
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
    """Give the rows of all files that belong to a class."""
    table = read_rows(uri, list(ComparedRow._fields)).select(ComparedRow._fields)
    columns = (column.to_pylist() for column in table.columns)
    return (ComparedRow(*cells) for cells in zip(*columns, strict=True) if cells[1] is not None)
