"""What a listing of the images consists of, before any file is read."""

import re
from typing import NamedTuple

from contracts import features

SPLIT_NAMES = {
    "train": features.TRAIN,
    "val": features.VALIDATION,
    "valid": features.VALIDATION,
    "validation": features.VALIDATION,
    "test": features.TEST,
}
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})
_CLUTTER_STARTS = tuple(".tTdD_@")  # most names are none, and there are many
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


def split_of(name: str) -> str | None:
    """Return the split that a folder name or table cell means, None where it means none."""
    return SPLIT_NAMES.get(name.casefold())


def is_clutter(name: str) -> bool:
    """Tell whether a file or folder name is a hidden one or one that desktops leave behind."""
    return name[:1] in _CLUTTER_STARTS and (name[0] == "." or name.casefold() in _CLUTTER)


def printable(name: str) -> str:
    r"""Return `name` as valid text: bytes that were no UTF-8 become `\xff`.

    Only for showing and storing; the file opens under the original name.
    """
    if name.isascii() or not _SURROGATE.search(name):
        return name
    raw = name.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "backslashreplace")
