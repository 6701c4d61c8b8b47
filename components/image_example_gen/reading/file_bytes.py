"""The bytes of image files, or the reason of a quarantine; objects are read several at a time."""

import errno
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

from components.image_example_gen.listing.entries import ImageFile
from contracts.images.reading import ImageReading
from contracts.images.values import HEAD_BYTES
from contracts.system.storage import objects
from contracts.system.storage.remote_path import RemotePath, Root

_BLOCK_BYTES = 1 << 20
# Limits of the objects that wait for the caller.
_FILES_IN_MEMORY = 64
_BYTES_IN_MEMORY = 32 << 20
_ASSUMED_BYTES = 2 << 20  # of an object whose size is not given

# Errors of opening or reading that concern one file, with the reason of its quarantine. All other
# errors, such as a full disk or too many open files, are trouble of this machine and end the run.
_FILE_FAULTS = {
    errno.ENOENT: "vanished",
    errno.ESTALE: "vanished",
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.EIO: "unreadable_file",
    errno.EISDIR: "unreadable_file",
    errno.ELOOP: "unreadable_file",
    errno.ENAMETOOLONG: "unreadable_file",
    errno.ENOTDIR: "unreadable_file",
    errno.ENXIO: "unreadable_file",
}


class Quarantined(Exception):
    """A file is left out: the name of the reason, details, and the digest if it was read."""

    def __init__(self, reason: str, detail: str, sha256: str | None = None) -> None:
        super().__init__(reason, detail, sha256)
        self.reason = reason
        self.detail = detail
        self.sha256 = sha256


Bytes = bytes | Quarantined


def read_bytes(root: Root, file: ImageFile, reading: ImageReading) -> bytes:
    """Return all of a file.

    Raises:
      Quarantined: it cannot be opened or is too large.
      OSError: this machine or the object store is in trouble.
    """
    limit = reading.max_bytes
    with _faults_of_files():
        if isinstance(root, RemotePath):
            raw = objects.read(f"{root}/{file.path}")
            if len(raw) > limit:
                raise Quarantined("too_many_bytes", f"{len(raw)}, limit {limit}")
            return raw
        # Bare system calls: for small files, paths, file objects and buffers take most of the time.
        opened = os.open(f"{root}/{file.path}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(opened).st_size
            if size > limit:
                raise Quarantined("too_many_bytes", f"{size}, limit {limit}")
            return _read_all(opened, size)
        finally:
            os.close(opened)


def read_head(root: Path, file: ImageFile) -> bytes:
    """Return the first bytes of a file, as many as tell what kind of image it is.

    Raises:
      Quarantined: it cannot be opened.
      OSError: this machine is in trouble.
    """
    with _faults_of_files(), (root / file.path).open("rb") as opened:
        return opened.read(HEAD_BYTES)


def read_files(
    root: Root,
    files: Sequence[ImageFile | Quarantined],
    reading: ImageReading,
    sizes: Iterable[int] = repeat(_ASSUMED_BYTES),
) -> Iterator[Bytes]:
    """Give the bytes of each file, in order, or the reason of its quarantine.

    Threads read the objects of a store before they are asked for. `sizes`, in bytes, limit how many
    of them are in memory.

    Raises:
      OSError: this machine or the object store is in trouble.
    """
    if isinstance(root, RemotePath):
        yield from _read_objects(root, files, reading, sizes)
    else:
        for file in files:
            yield _bytes_of(root, file, reading)


def _read_objects(
    root: RemotePath,
    files: Sequence[ImageFile | Quarantined],
    reading: ImageReading,
    sizes: Iterable[int],
) -> Iterator[Bytes]:
    threads = ThreadPoolExecutor(objects.CONNECTIONS, thread_name_prefix="objects")
    pending: deque[tuple[Future[Bytes], int]] = deque()
    pending_bytes = 0
    try:
        for file, size in zip(files, sizes, strict=False):
            while pending and (
                len(pending) == _FILES_IN_MEMORY or pending_bytes + size > _BYTES_IN_MEMORY
            ):
                future, done = pending.popleft()
                pending_bytes -= done
                yield future.result()
            pending.append((threads.submit(_bytes_of, root, file, reading), size))
            pending_bytes += size
        for future, _ in pending:
            yield future.result()
    finally:
        threads.shutdown(cancel_futures=True)


def _bytes_of(root: Root, file: ImageFile | Quarantined, reading: ImageReading) -> Bytes:
    if isinstance(file, Quarantined):
        return file
    try:
        return read_bytes(root, file, reading)
    except Quarantined as fault:
        return fault


@contextmanager
def _faults_of_files() -> Iterator[None]:
    """Raise `Quarantined` for errors that concern the file alone.

    Raises:
      Quarantined: it cannot be opened or read.
      OSError: this machine or the object store is in trouble.
    """
    try:
        yield
    except MemoryError as error:
        raise Quarantined("out_of_memory", "while reading it") from error
    except OSError as error:
        if error.errno not in _FILE_FAULTS:
            raise
        detail = error.strerror or type(error).__name__
        raise Quarantined(_FILE_FAULTS[error.errno], detail) from error


def _read_all(opened: int, size: int) -> bytes:
    """Return the content of an open file that is probably `size` bytes long."""
    raw = os.read(opened, size + 1)
    if len(raw) == size:
        return raw
    blocks = [raw]  # the file is growing, or is longer than one call can read
    while block := os.read(opened, _BLOCK_BYTES):
        blocks.append(block)
    return b"".join(blocks)
