"""Files that appear whole or not at all."""

import os
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
