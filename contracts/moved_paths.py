"""Paths in texts: what a workspace has written names its folder wherever the workspace lies now."""

import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from urllib.parse import quote

# What may follow a folder's path where it ends: the next part, a quote, or an escaped one.
_END = r"""(?=$|[/"'\\`\s])"""


def replace_folder(text: str, old: Path, new: str) -> str:
    """Return the text with `new` for every occurrence of the absolute path `old`.

    It is found as it is, in JSON, in JSON inside of JSON, and quoted in a URI. The path of another
    folder whose name only begins in the same way stays.
    """
    forms = {escape(str(old)): escape(new) for escape in _ESCAPES}
    for form, replacement in forms.items():
        literal = replacement.replace("\\", r"\\")  # no groups of the pattern
        text = re.sub(re.escape(form) + _END, literal, text)
    return text


def moved(text: str, before: Path, now: Path) -> str:
    """Return the text of a file that was at `before` and is at `now`, its paths moved likewise.

    What the two paths have in common at their ends has moved from one folder into another.
    """
    while before.name == now.name and before.name:
        before, now = before.parent, now.parent
    return text if before == now else replace_folder(text, before, str(now))


def without_folders(text: str, folders: Iterable[Path]) -> str:
    """Return the text with a number for the path of each folder: the same wherever they lie."""
    numbered = sorted(enumerate(folders), key=lambda one: -len(one[1].parts))
    for number, folder in numbered:  # one that lies in another comes first
        text = replace_folder(text, folder, f"<folder-{number}>")
    return text


def _in_json(text: str, *, ascii_only: bool) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


_ascii = partial(_in_json, ascii_only=True)  # the json module's own way
_utf8 = partial(_in_json, ascii_only=False)  # Pydantic's
_ESCAPES: tuple[Callable[[str], str], ...] = (
    *(str, quote, _ascii, _utf8),
    *(lambda text: _ascii(_utf8(text)), lambda text: _ascii(_ascii(text))),
)
