"""The control groups of this process, in which containers have their limits; versions 1 and 2.

Every path is below `root`, which is another folder only for tests.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")


def groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the paths of this process' control group of a controller and of those above it.

    A container often sees its own group as the root, though /proc names it otherwise.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controller in controllers.split(","):
            path = Path(place.lstrip("/"))
            yield path
            yield from path.parents
    yield Path()


def words(file: Path) -> list[str]:
    """Return the words of a file; none where it cannot be read."""
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []


def number(file: Path) -> float | None:
    """Return the number that a file holds, infinity for `max`; None where there is none."""
    found = words(file)
    if not found:
        return None
    return math.inf if found[0] == "max" else int(found[0])
