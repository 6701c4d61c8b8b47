"""The entries of a listing, before any file is read."""

import re
from typing import Final, NamedTuple

from contracts.system.unicode_form import composed

# White space of any script, a byte order mark, and the zero-width space.
BLANKS: Final = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})
_CLUTTER_STARTS = tuple(".tTdD_@")  # tested first, since most names begin otherwise
_SURROGATE = re.compile("[\ud800-\udfff]")


class ImageFile(NamedTuple):
    """A file at a place where an image is expected; it has not been opened yet.

    `path` is relative to the layout's root, with "/" between parts. Bytes of it that are no
    UTF-8 are kept as surrogate escapes, so that it opens; `printable` makes text of it.
    `label` and `group` are valid text in NFC. `split` is None if the data has no splits.
    """

    path: str
    label: str
    split: str | None = None
    group: str | None = None


class SkippedFile(NamedTuple):
    """An entry that is not ingested: `reason` is a stable name, `detail` a half sentence."""

    path: str
    reason: str
    detail: str


def is_clutter(name: str) -> bool:
    """Tell whether a file or folder is hidden or left behind by a desktop program."""
    return name[:1] in _CLUTTER_STARTS and (name[0] == "." or name.casefold() in _CLUTTER)


def printable(name: str) -> str:
    r"""Return `name` as valid text: bytes that were no UTF-8 become `\xff`.

    It is for output and storage; the file opens under the original name.
    """
    if name.isascii() or not _SURROGATE.search(name):
        return name
    raw = name.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "backslashreplace")


def text_of(name: str) -> str:
    """Return a name as the text of a label or group: valid, and in one Unicode form."""
    return name if name.isascii() else composed(printable(name))


def plain_path(path: str) -> str:
    """Return a path in one Unicode form, without blanks around its parts."""
    return "/".join(composed(part).strip(BLANKS) for part in path.split("/"))


def encode_path(path: str) -> bytes:
    """Return a path as bytes, as it is on the disk."""
    return path.encode("utf-8", "surrogateescape")


def decode_path(path: bytes) -> str:
    """Return a path as text, with surrogate escapes for bytes that are no UTF-8."""
    return path.decode("utf-8", "surrogateescape")
