"""What a listing of the images consists of, before any file is read."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from contracts import features

Kind = Literal["classes", "splits", "csv"]

SPLIT_NAMES = {
    "train": features.TRAIN,
    "val": features.VALIDATION,
    "valid": features.VALIDATION,
    "validation": features.VALIDATION,
    "test": features.TEST,
}
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})
_SURROGATE = re.compile("[\ud800-\udfff]")


class ImageFile(NamedTuple):
    """A file that stands where an image is expected; nobody has looked inside yet.

    `path` is relative to the layout's root, with "/" between parts. Bytes of it that are no
    UTF-8 are kept as surrogate escapes, so that it opens; `printable` makes text of it.
    `label` and `group` are valid text. `split` is None where the data does not say.
    """

    path: str
    label: str
    split: str | None = None
    group: str | None = None


class SkippedFile(NamedTuple):
    """An entry that is no candidate: `reason` is a stable name, `detail` a half sentence."""

    path: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Layout:
    """Every entry found below `root`, sorted by path: `files` and `skipped` together.

    `description` says in one sentence what was inferred. `empty_classes` are the class folders
    in which no file stands.
    """

    kind: Kind
    description: str
    root: Path
    files: list[ImageFile]
    skipped: list[SkippedFile] = field(default_factory=list)
    empty_classes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """The classes that have at least one file, sorted."""
        return sorted({file.label for file in self.files})

    @property
    def splits(self) -> list[str]:
        """The splits that the data brings itself, in the order of `features.SPLITS`."""
        brought = {file.split for file in self.files}
        return [split for split in features.SPLITS if split in brought]

    @property
    def found(self) -> int:
        """How many entries there are in all."""
        return len(self.files) + len(self.skipped)


def split_of(name: str) -> str | None:
    """Return the split that a folder name or table cell means, None where it means none."""
    return SPLIT_NAMES.get(name.casefold())


def is_clutter(name: str) -> bool:
    """Tell whether a file or folder name is a hidden one or one that desktops leave behind."""
    return name.startswith(".") or name.casefold() in _CLUTTER


def printable(name: str) -> str:
    r"""Return `name` as valid text: bytes that were no UTF-8 become `\xff`.

    Only for showing and storing; the file opens under the original name.
    """
    if not _SURROGATE.search(name):
        return name
    raw = name.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "backslashreplace")
