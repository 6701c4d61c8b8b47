"""The code as part of a component's cache key: TFX's own key leaves it out."""

import hashlib
import importlib.metadata
from collections.abc import Iterable
from functools import cache

from contracts.cache_key.import_closure import import_closure


@cache
def code_digest(module: str, libraries: tuple[str, ...] = ()) -> str:
    """Return the SHA-256 of what a module of ours can run, as lower-case hex.

    Comments and docstrings do not count, nor does the place where the sources lie.

    Args:
      module: dotted name; it counts with all modules of ours that it imports.
      libraries: names of installed distributions, e.g. "pillow", whose versions count.

    Raises:
      ModuleNotFoundError: there is no such module.
      importlib.metadata.PackageNotFoundError: a library is not installed.
    """
    digest = hashlib.sha256(versions(libraries).encode())
    for name, source in import_closure(module).items():
        digest.update(f"{name}\0{source.code}\0".encode())
    return digest.hexdigest()


def versions(libraries: Iterable[str]) -> str:
    """Return name and version of each installed distribution, in order of the names.

    Raises:
      importlib.metadata.PackageNotFoundError: one is not installed.
    """
    return "".join(f"{name}=={importlib.metadata.version(name)}\0" for name in sorted(libraries))
