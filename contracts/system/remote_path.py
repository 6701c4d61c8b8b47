"""Places in object stores, `s3://bucket/folder` and `gs://bucket/folder`, as paths."""

import importlib
from pathlib import Path, PurePosixPath
from typing import Any

SCHEMES = ("s3", "gs")
# Resolved when something is read: it imports Apache Beam, which most of what knows paths does not.
_READER = "components.image_example_gen.listing.remote:read"


class RemotePath(PurePosixPath):
    """A place in an object store; `str` gives its whole address.

    What a component needs of a `Path`: its parts, what lies below it, and the bytes at it.
    """

    def __str__(self) -> str:
        """Return the address, with the two slashes that paths make one of."""
        return super().__str__().replace(":/", "://", 1)

    def read_bytes(self) -> bytes:
        """Return the object at this place.

        Raises:
          OSError: it cannot be read.
        """
        return self.read(str(self))

    @staticmethod
    def read(address: str) -> bytes:
        """Return the object at an address, whose parts may be such that a path loses them.

        Raises:
          OSError: it cannot be read.
        """
        content: bytes = resolve(_READER)(address)
        return content


def is_remote(root: object) -> bool:
    """Tell whether a text or path names a place in an object store."""
    scheme, separator, _ = str(root).partition("://")
    return bool(separator) and scheme in SCHEMES


def place(root: Any) -> Any:
    """Return a RemotePath of the address of a place in an object store, anything else as it is."""
    return RemotePath(root) if isinstance(root, str) and is_remote(root) else root


def resolve(function: str) -> Any:
    """Return what "module:function" names; its module is imported only now."""
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)


Root = Path | RemotePath
