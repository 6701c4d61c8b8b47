"""Paths in texts: what a workspace has written names its folder wherever the workspace lies now."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

# What may follow a folder's path where it ends: the next part, a quote, or an escaped one.
_END = r"""(?=$|[/"'\\`\s])"""


def replace_folder(text: str, old: Path, new: str) -> str:
    """Return the text with `new` for every occurrence of the absolute path `old`.

    It is found as it is, in JSON, in JSON inside of JSON, and quoted in a URI. The path of another
    folder whose name only begins in the same way stays.
    """
    forms = dict(zip(_forms(str(old)), _forms(new), strict=True))
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


def _forms(path: str) -> list[str]:
    """Return how a path is written in our files, addresses and parameters."""
    plain = [path, quote(path), path.replace("%", "%25")]  # the last in contracts.mlflow_uri
    in_json = [json.dumps(one, ensure_ascii=only)[1:-1] for one in plain for only in (True, False)]
    return [*plain, *in_json, *(json.dumps(one)[1:-1] for one in in_json)]
