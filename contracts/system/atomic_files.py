"""Files that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class PartialFile:
    """A file that is being written, and the name that it takes when it is whole."""

    path: Path
    name: str


@contextmanager
def whole_file(path: Path) -> Iterator[PartialFile]:
    """Give a temporary file next to `path`, which takes its name at the end of the block.

    Where the block raises, nothing is left of it, and what stood at `path` stays.

    Raises:
      OSError: it cannot take the name.
    """
    partial = PartialFile(path.with_name(f".{path.name}.partial"), path.name)
    try:
        yield partial
        partial.path.replace(path.with_name(partial.name))
    finally:
        partial.path.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text to `path`; nobody ever sees a part of it, even after a power cut.

    A temporary file is renamed, so a file that was there is replaced at once.

    Raises:
      OSError: it cannot be written; what was there stays.
    """
    with whole_file(path) as partial, partial.path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def link(source: Path, target: Path) -> None:
    """Link a file that never changes to `target`; copy it only where hard links are impossible.

    Folders above `target` are made.

    Raises:
      OSError: `source` is not there, or the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or one that knows no links
        with whole_file(target) as partial:
            shutil.copyfile(source, partial.path)
