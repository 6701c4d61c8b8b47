"""Paths in pipeline.yaml, which are relative to the file's folder -> absolute ones, and back."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from contracts.config.key_paths import KeyPath, key_path
from contracts.config.loading.nested_values import value_at, with_value
from contracts.config.mlflow_uri import IN_MEMORY, sqlite_file, sqlite_uri
from contracts.config.search import SPACE
from contracts.config.trainer.config import IMAGENET
from contracts.config.trainer.users_code import UsersCode
from contracts.system.storage.remote_path import is_remote

PathChange = Callable[[str], str]  # of a path

# Keys that hold a path, or a list of paths.
PATH_KEYS: Final[tuple[KeyPath, ...]] = (
    ("data", "root"),
    ("data", "schema"),
    ("explanation", "images", "chosen"),
)

# The key that holds a path or the word `imagenet`.
WEIGHTS_KEYS: Final[tuple[KeyPath, ...]] = (("trainer", "weights"),)

# The key that holds an address, which may be of a SQLite file.
ADDRESS_KEYS: Final[tuple[KeyPath, ...]] = (("tracking", "mlflow", "uri"),)

# Keys that name code of the user's own (`file.py:name`), or hold a list of such names.
CODE_KEYS: Final[tuple[KeyPath, ...]] = (
    ("trainer", "model"),
    ("trainer", "loss"),
    ("trainer", "metrics"),
    ("trainer", "callbacks"),
)


def with_absolute_paths(values: Any, folder: Path) -> Any:
    """Return a copy of a config's values in which every path is absolute, in `search.space` too.

    Addresses in object stores and values that are not text stay as they are.
    """
    values = _with_absolute_paths(values, folder)
    space = value_at(values, SPACE)
    if isinstance(space, dict):
        absolute = {key: absolute_at(key, given, folder) for key, given in space.items()}
        values = with_value(values, SPACE, absolute)
    return values


def absolute_at(key: str, given: Any, folder: Path) -> Any:
    """Return what is given for a dotted key, a value or a list of them, with absolute paths."""
    path = key_path(key)
    return value_at(_with_absolute_paths(with_value({}, path, given), folder), path)


def relative_at(key: str, given: Any, folder: Path) -> Any:
    """Reverse `absolute_at`: return `given` with paths below the folder relative to it."""
    path = key_path(key)
    values = _with_paths(with_value({}, path, given), partial(_relative, folder=folder))
    return value_at(values, path)


def _with_absolute_paths(values: Any, folder: Path) -> Any:
    return _with_paths(values, partial(_absolute, folder=folder))


def _with_paths(values: Any, change: PathChange) -> Any:
    """Return a copy of a config's values with every path changed."""
    kinds = (
        (PATH_KEYS, change),
        (WEIGHTS_KEYS, partial(_weights, change=change)),
        (ADDRESS_KEYS, partial(_address, change=change)),
        (CODE_KEYS, partial(_code, change=change)),
    )
    for keys, changed in kinds:
        for key in keys:
            found = value_at(values, key)
            if found is not None:
                values = with_value(values, key, _each(found, changed))
    return values


def _each(found: Any, change: PathChange) -> Any:
    if isinstance(found, list):
        return [_each(item, change) for item in found]
    return change(found) if isinstance(found, str) else found


def _weights(text: str, change: PathChange) -> str:
    return text if text == IMAGENET else change(text)


def _address(text: str, change: PathChange) -> str:
    file = sqlite_file(text)
    if file is None or file.name in ("", IN_MEMORY):
        return text
    return sqlite_uri(Path(change(str(file))))


def _code(text: str, change: PathChange) -> str:
    code = UsersCode.parse(text)
    if code is None or code.file is None:
        return text
    return str(UsersCode(change(code.place), code.attribute))


def _absolute(text: str, folder: Path) -> str:
    if is_remote(text):
        return text
    # os.path: "~nobody" stays as it is, and ".." is removed without resolving links.
    expanded = folder / os.path.expanduser(text)  # noqa: PTH111
    return os.path.abspath(expanded)  # noqa: PTH100


def _relative(text: str, folder: Path) -> str:
    path, above = Path(text), os.path.abspath(folder)  # noqa: PTH100
    return path.relative_to(above).as_posix() if path.is_relative_to(above) else text
