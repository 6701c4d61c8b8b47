"""The content of a file as a digest."""

import hashlib
from pathlib import Path
from typing import Final

_PIECE_BYTES: Final = 2**20


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file's content, as lower-case hex; memory does not grow with it.

    Raises:
      OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
