"""Paths in texts that a workspace has written, corrected after the workspace has moved."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contracts.config.mlflow_uri import sqlite_uri

# Characters that may come before a path, and after the end of a folder: no part of its name.
_BEFORE = r"(?<![^\s\"'`=(,;:<])"
_END = r"(?=$|[/\s\"'`),;:])"


def replace_folder(text: str, old: Path, new: Path) -> str:
    """Return the text with `new` for every occurrence of the absolute path `old`.

    Args:
      text: a path, the address of a file or SQLite file, a sentence with these, or JSON whose
        strings are these or JSON again. JSON comes back in the form of `json.dumps`.
      old: the folder as it was. Another one whose name begins or ends in the same way stays.
      new: the folder as it is.
    """
    if text.startswith(("{", "[")):
        try:
            content = json.loads(text)
        except ValueError:
            pass  # a path may begin so
        else:
            return json.dumps(_replaced(content, old, new), ensure_ascii=False)
    forms = {form(old): form(new) for form in (str, sqlite_uri, _file_uri)}
    pattern = f"{_BEFORE}({'|'.join(map(re.escape, forms))}){_END}"
    return re.sub(pattern, lambda match: forms[match[1]], text)


def without_folders(text: str, folders: Iterable[Path]) -> str:
    """Return the text with a number for the path of each folder: the same wherever they lie."""
    numbered = sorted(enumerate(folders), key=lambda one: -len(one[1].parts))
    for number, folder in numbered:  # one that lies in another comes first
        text = replace_folder(text, folder, Path(f"<folder-{number}>"))
    return text


def _replaced(content: Any, old: Path, new: Path) -> Any:
    if isinstance(content, str):
        return replace_folder(content, old, new)
    if isinstance(content, list):
        return [_replaced(one, old, new) for one in content]
    if isinstance(content, dict):
        return {key: _replaced(one, old, new) for key, one in content.items()}
    return content


def _file_uri(folder: Path) -> str:
    return f"file://{quote(str(folder))}"
