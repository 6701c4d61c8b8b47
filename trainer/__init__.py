"""Models and their training, usable without TFX."""

import sys
from importlib import import_module
from pathlib import Path

# `python -m` puts the working directory first, and a contracts.py of the user's may lie there.
_ROOT = str(Path(__file__).parents[1])
sys.path.insert(0, _ROOT)
import_module("contracts.own_packages")
sys.path.remove(_ROOT)
