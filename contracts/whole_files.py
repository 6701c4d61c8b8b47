"""Files that appear whole or not at all."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text to `path`; nobody ever sees a part of it.

    It is written beside its place and renamed, so a file that was there is replaced at once.

    Raises:
      OSError: it cannot be written; what was there stays.
    """
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
