"""A problem between keys, or between a key and the disk."""

from dataclasses import dataclass
from pathlib import Path

from contracts.config.key_paths import KeyPath
from contracts.config.loading.field_problems import Problem


@dataclass(frozen=True)
class Inconsistency(Problem):
    """A problem that is not reported while one of the keys `with_keys` is itself wrong."""

    with_keys: tuple[KeyPath, ...] = ()


def file_mode(path: Path) -> tuple[int, str]:
    """Return the mode bits of `path` and "", or 0 and what is wrong with the path."""
    try:
        return path.stat().st_mode, ""
    except (FileNotFoundError, NotADirectoryError):
        return 0, "does not exist"
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        return 0, f"cannot be reached ({getattr(error, 'strerror', error)})"
