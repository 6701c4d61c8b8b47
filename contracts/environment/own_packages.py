"""Our packages are found before others of the same name, also in processes started from here.

A folder of images, of a config and of models of the user's own may hold a trainer.py as well, and
`python -m` and `python -c` look for modules in the working directory first.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

ROOT = str(Path(__file__).parents[2])
PACKAGES = ("components", "contracts", "pipeline", "registry", "serving", "trainer")


class _OwnPackages(MetaPathFinder):
    """Finds our packages where this module lies; importing the module is enough."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in PACKAGES:
            return None
        return PathFinder.find_spec(fullname, [ROOT], target)


sys.meta_path.insert(0, _OwnPackages())


def python_command(code: str) -> list[str]:
    """Return the command of a Python that runs `code` and finds the modules that this one finds.

    The working directory is searched only if this Python searches it.
    """
    path = [ROOT, *filter(None, sys.path)]
    found = f"import sys; sys.path[:] = {path!r}; import {__name__}; del sys.path[0]"
    return [sys.executable, "-c", f"{found}; {code}"]
