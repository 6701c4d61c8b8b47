"""The way into the commands: it puts our packages before all others of their names.

PYTHONPATH may name a folder with a `pipeline/` or `trainer.py` of the user's own. This module has a
name that no other has, and it finds our packages before any of them is imported.
"""

import sys
from importlib import import_module
from pathlib import Path

_ROOT = str(Path(__file__).parent)
sys.path.insert(0, _ROOT)
import_module("contracts.environment.own_packages")
sys.path.remove(_ROOT)


def main() -> int:
    """Run `imgpipe` and return its exit code."""
    from pipeline.cli import main

    return main()


def train() -> int:
    """Run `imgpipe-train` and return its exit code."""
    from trainer.__main__ import main

    return main()
