"""Objects in a store, read by their addresses; the store's client library is imported when needed.

An address is text, `s3://bucket/name`: the name may have parts that a path would change, such as
two slashes in a row. The functions may be called by several threads at the same time.
"""

from collections.abc import Iterator
from functools import cache
from typing import IO, Final, NamedTuple, Protocol

# Reads of a process at the same time. More make a store of 20 ms latency no faster: each read takes
# about 1 ms of a processor.
CONNECTIONS: Final = 16
# Without an answer for so long a request is given up; the client libraries repeat it.
CONNECT_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 30.0


class StoredObject(NamedTuple):
    """An object of a listing."""

    name: str  # in its bucket
    size: int  # bytes
    modified_ns: int  # since 1970; S3 gives seconds


class ObjectStore(Protocol):
    """The client of a kind of store; all methods raise OSError as `read` below does."""

    def objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Give the objects whose names begin with `prefix`, in order of their names."""

    def read(self, bucket: str, name: str) -> bytes:
        """Return an object."""

    def first_bytes(self, bucket: str, name: str, count: int) -> bytes:
        """Return the beginning of an object."""

    def copy(self, bucket: str, name: str, file: IO[bytes]) -> None:
        """Write an object to an open file, block by block."""


def objects(prefix: str) -> Iterator[StoredObject]:
    """Give the objects whose addresses begin with `prefix`; a page of them is in memory.

    Raises:
      OSError: as `read` does; EREMOTEIO also of a store that does not answer.
    """
    store, bucket, start = _parts(prefix)
    return store.objects(bucket, start)


def read(address: str) -> bytes:
    """Return an object.

    Raises:
      OSError: it cannot be read. ENOENT and EACCES concern this object, EREMOTEIO the store.
    """
    store, bucket, name = _parts(address)
    return store.read(bucket, name)


def first_bytes(address: str, count: int) -> bytes:
    """Return the beginning of an object, at most `count` bytes.

    Raises:
      OSError: as `read` does.
    """
    store, bucket, name = _parts(address)
    return store.first_bytes(bucket, name, count)


def copy(address: str, file: IO[bytes]) -> None:
    """Write an object to an open file; no more than some blocks of it are in memory.

    Raises:
      OSError: as `read` does.
    """
    store, bucket, name = _parts(address)
    store.copy(bucket, name, file)


def _parts(address: str) -> tuple[ObjectStore, str, str]:
    """Return the store of an address, the bucket, and the name in the bucket."""
    scheme, _, rest = address.partition("://")
    bucket, _, name = rest.partition("/")
    return store_of(scheme), bucket, name


@cache
def store_of(scheme: str) -> ObjectStore:
    """Return the client of a kind of store, which all threads of this process share.

    Raises:
      OSError: there are no credentials for it.
    """
    if scheme == "s3":
        from contracts.system.storage.s3 import S3Store

        return S3Store()
    from contracts.system.storage.google_storage import GoogleStore

    return GoogleStore()
