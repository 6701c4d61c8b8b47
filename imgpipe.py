"""Starts the commands, and puts our packages before other packages with the same names.

PYTHONPATH may name a folder with a `pipeline/` or a `trainer.py` of the user. No other module has
the name of this one, and it finds our packages before one of them is imported.
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
