"""The top: wires the components, runs them, and is the `imgpipe` command."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_ROOT = Path(__file__).parents[1]


class _OwnPackages(MetaPathFinder):
    """Finds our packages before all else of their names.

    `python -m` puts the working directory first, and a folder of images, of a config and of models
    of the user's own may hold a trainer.py as well.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in ("components", "contracts", "serving", "trainer"):
            return None
        return PathFinder.find_spec(fullname, [str(_ROOT)], target)


sys.meta_path.insert(0, _OwnPackages())
