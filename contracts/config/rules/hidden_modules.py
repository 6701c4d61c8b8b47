"""Modules of the user's own that are hidden by another module of the same name."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from contracts.config.trainer.users_code import SOURCE_SUFFIX, imported_names, sources
from contracts.environment.own_packages import PACKAGES

PYTHON_ITSELF = "Python itself"


def hidden_modules(file: Path) -> list[str]:
    """Return a sentence for each import that does not find the module in the file's folder.

    The sources that it imports from there are checked too. Nothing is imported.

    Raises:
      OSError: a source cannot be read.
      SyntaxError, ValueError: one is no Python.
    """
    return [sentence for source in sources(file) for sentence in _hidden_from(source, file.parent)]


def _hidden_from(source: Path, folder: Path) -> Iterator[str]:
    for name in sorted(imported_names(source)):
        meant = _sources_of(name, folder)
        found = _origin(name) if meant else None
        if found and Path(found).resolve() not in [path.resolve() for path in meant]:
            yield (
                f"{source} imports `{name}`, expected to be the one in {folder}, "
                f"but that name belongs to {found}, which comes first. Rename yours."
            )


def _sources_of(name: str, folder: Path) -> list[Path]:
    """Return the sources in a folder that an import of `name` may mean."""
    package = folder / name
    found = [package.with_name(f"{name}{SOURCE_SUFFIX}"), package / f"__init__{SOURCE_SUFFIX}"]
    if name in PACKAGES:  # users do not import ours: a folder without __init__.py is meant too
        found += package.glob(f"*{SOURCE_SUFFIX}")
    return [path for path in found if path.is_file()]


def _origin(name: str) -> str | None:
    """Return where an import finds a top module; None where it finds none, or a mere folder."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # __main__ has none
        return PYTHON_ITSELF
    if spec is None or spec.origin is None:
        return None
    return spec.origin if spec.has_location else PYTHON_ITSELF
