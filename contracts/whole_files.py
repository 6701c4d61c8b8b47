"""Files that appear whole or not at all."""

import os
import shutil
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text to `path`; nobody ever sees a part of it, not after a power cut either.

    It is written beside its place and renamed, so a file that was there is replaced at once.

    Raises:
      OSError: it cannot be written; what was there stays.
    """
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def link(source: Path, target: Path) -> None:
    """Let a file that never changes stand at `target` too, copied only where links cannot be.

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
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(source, partial)
        partial.replace(target)
