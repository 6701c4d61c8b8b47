"""Code of the user's own that the config names: `module:name`, or `path/to/file.py:name`."""

import ast
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

# Stands in the JSON schema too. The loader makes the path of a file absolute.
REFERENCE_PATTERN: Final = r"^([^\W\d]\w*(\.[^\W\d]\w*)*|.*\.py):[^\W\d]\w*$"

SOURCE_SUFFIX: Final = ".py"

# What sysconfig calls the folders of Python's own modules and of installed ones.
INSTALLATION_PATHS: Final = ("stdlib", "platstdlib", "purelib", "platlib")


@dataclass(frozen=True)
class UsersCode:
    """What a reference names: an attribute of a module, or of a file."""

    place: str  # dotted name of the module, or path of the file
    attribute: str

    @classmethod
    def parse(cls, reference: str) -> "UsersCode | None":
        """Return what a reference names; None where it is none."""
        if not re.search(REFERENCE_PATTERN, reference):
            return None
        # The path may hold colons itself.
        place, _, attribute = reference.rpartition(":")
        return cls(place, attribute)

    @property
    def file(self) -> Path | None:
        """The file; None for a module."""
        # A module of the name "x.py" would be the module py of a package x: take it for a file.
        return Path(self.place) if self.place.endswith(SOURCE_SUFFIX) else None

    def __str__(self) -> str:
        return f"{self.place}:{self.attribute}"


def may_define(file: Path, name: str) -> bool:
    """Tell whether the module in a file may have an attribute `name`; nothing is run.

    Raises:
      OSError: the file cannot be read.
      SyntaxError, ValueError: it is no Python.
    """
    return not _parsed(file).defined.isdisjoint((name, "*", "__getattr__"))


@dataclass(frozen=True)
class _ParsedSource:
    """Names in a source, which is parsed and not run."""

    defined: frozenset[str]  # names at its top
    imported: frozenset[str]  # top names of the modules that it imports anywhere in it


def _parsed(file: Path) -> _ParsedSource:
    """Return the names in a source; an unchanged source is parsed once."""
    status = file.stat()
    return _parse(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _parse(file: Path, _mtime_ns: int, _size_bytes: int) -> _ParsedSource:
    tree = ast.parse(file.read_bytes(), str(file))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(node.module.partition(".")[0])
    return _ParsedSource(frozenset(_names(tree.body)), frozenset(imported))


def _names(statements: list[ast.stmt]) -> Iterator[str]:
    """Yield what the statements of a module bind, also below `if`, `try` and `with`."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0]
        else:
            nodes = list(ast.walk(statement))
            yield from (
                node.id
                for node in nodes
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            )
            yield from _names([node for node in nodes[1:] if isinstance(node, _BINDING)])


_BINDING: Final = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
)


def sources(file: Path) -> list[Path]:
    """Return a file and the sources in its folder that it imports, also indirectly.

    Nothing is run. A package in the folder counts with all the sources in it. An installed module
    is returned alone, since its folder holds all other installed modules.

    Raises:
      OSError: the file cannot be read.
      SyntaxError, ValueError: it is no Python.
    """
    if _is_installation(file.parent):
        return [file]
    found, queue = {file}, [file]
    while queue:
        for name in imported_names(queue.pop()):
            imported = set(_sources_of(name, file.parent)) - found
            found |= imported
            queue += sorted(imported)
    return sorted(found)


def imported_names(file: Path) -> frozenset[str]:
    """Return the top names of the modules that a source imports anywhere in it.

    Raises:
      OSError: it cannot be read.
      SyntaxError, ValueError: it is no Python.
    """
    return _parsed(file).imported


def _is_installation(folder: Path) -> bool:
    """Tell whether Python's own modules, or installed ones, lie in the folder itself."""
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    places = {sysconfig.get_path(name, one) for one in schemes for name in INSTALLATION_PATHS}
    return folder.resolve() in {Path(place).resolve() for place in places}


def _sources_of(name: str, folder: Path) -> Iterator[Path]:
    """Yield the sources in a folder that an import of `name` finds."""
    module, package = folder / f"{name}{SOURCE_SUFFIX}", folder / name
    if package.is_dir():
        yield from package.rglob(f"*{SOURCE_SUFFIX}")
    elif module.is_file():
        yield module
