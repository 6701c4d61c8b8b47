"""Code of the user's own that the config names: `module:name`, or `path/to/file.py:name`."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# As editors are told it; the loader makes the path of a file absolute.
REFERENCE_PATTERN: Final = r"^([^\W\d]\w*(\.[^\W\d]\w*)*|.*\.py):[^\W\d]\w*$"

SOURCE_SUFFIX: Final = ".py"


@dataclass(frozen=True)
class UsersCode:
    """What a reference names: an attribute of a module, or of a file beside the config."""

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
    tree = ast.parse(file.read_bytes(), str(file))
    return any(found in (name, "*", "__getattr__") for found in _names(tree.body))


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
    """Return a file and the sources beside it that it imports, also through one another.

    Nothing is run. A package beside it stands for all the sources in it.

    Raises:
      OSError: the file cannot be read.
      SyntaxError, ValueError: it is no Python.
    """
    found, queue = {file}, [file]
    while queue:
        for name in imported_names(queue.pop()):
            beside = set(_beside(file.parent, name)) - found
            found |= beside
            queue += sorted(beside)
    return sorted(found)


def imported_names(file: Path) -> set[str]:
    """Return the top names of the modules that a source imports anywhere in it.

    Raises:
      OSError: it cannot be read.
      SyntaxError, ValueError: it is no Python.
    """
    names = set()
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _beside(folder: Path, name: str) -> Iterator[Path]:
    module, package = folder / f"{name}{SOURCE_SUFFIX}", folder / name
    if package.is_dir():
        yield from package.rglob(f"*{SOURCE_SUFFIX}")
    elif module.is_file():
        yield module
