"""Places in object stores, `s3://bucket/folder` and `gs://bucket/folder`, as paths."""

from pathlib import Path, PurePosixPath
from typing import Any, Final

SCHEMES: Final = ("s3", "gs")


class RemotePath(PurePosixPath):
    """A place in an object store; `str` gives its whole address."""

    def __str__(self) -> str:
        """Return the address, with the two slashes that paths make one of."""
        return super().__str__().replace(":/", "://", 1)


Root = Path | RemotePath


def is_remote(root: object) -> bool:
    """Tell whether a text or path names a place in an object store."""
    scheme, separator, _ = str(root).partition("://")
    return bool(separator) and scheme in SCHEMES


def place(root: Any) -> Any:
    """Return a RemotePath of the address of a place in an object store, anything else as it is."""
    return RemotePath(root) if isinstance(root, str) and is_remote(root) else root
