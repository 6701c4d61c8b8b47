"""The modules of ours that a module can run: those that it imports, also through one another.

They are found in the syntax trees of the sources: nothing is imported.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.environment.own_packages import PACKAGES, ROOT

_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """A source of ours without its comments and docstrings, and what it imports of ours."""

    code: str
    imports: frozenset[str]  # modules and packages, by dotted name


def import_closure(module: str, root: str = ROOT) -> dict[str, Source]:
    """Return a module, what it imports anywhere, and the packages that hold these, by dotted name.

    An import counts wherever it stands, but below `if TYPE_CHECKING:`, which is never run. An
    import that is put together from text is not found.

    Args:
      module: dotted name of a module of ours.
      root: the folder that our packages lie in.

    Raises:
      ModuleNotFoundError: there is no such module.
    """
    found: dict[str, Source] = {}
    queue = [module]
    while queue:
        name = queue.pop()
        if name not in found:
            found[name] = _source(name, root)
            queue += found[name].imports
            queue += filter(None, [name.rpartition(".")[0]])
    return dict(sorted(found.items()))


@cache
def _source(module: str, root: str) -> Source:
    file = _file(module, root)
    if file is None:
        raise ModuleNotFoundError(f"{module}: expected a module in {root}.", name=module)
    tree = ast.parse(file.read_bytes(), str(file))
    imports = frozenset(_imports(tree, root))
    _remove_docstrings(tree)
    return Source(ast.dump(tree), imports)


def _file(module: str, root: str) -> Path | None:
    place = Path(root, *module.split("."))
    files = place.with_name(f"{place.name}.py"), place / "__init__.py"
    return next((file for file in files if file.is_file()), None)


def _imports(node: ast.AST, root: str) -> Iterator[str]:
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        for statement in node.orelse:
            yield from _imports(statement, root)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if _is_ours(alias.name))
    elif isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
        for alias in node.names:
            submodule = f"{node.module}.{alias.name}"
            yield submodule if _file(submodule, root) else node.module
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield from _imports(child, root)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _remove_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
