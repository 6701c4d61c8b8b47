"""A file on disk -> its canonical image, or the reason why there is none."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from components.image_example_gen.listing.entries import ImageFile
from contracts.images.canonical import CanonicalImage, canonicalise
from contracts.images.reading import ImageReading
from contracts.images.refusal import UnreadableImage
from contracts.images.source import deep_values
from contracts.images.values import HEAD_BYTES, SampleKind, may_be_deep
from contracts.system.remote_path import RemotePath, Root

_BLOCK_BYTES = 1 << 20

# What opening or reading a file can say about this file. All else, such as a full disk or too
# many open files, is trouble of this machine and ends the run.
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


class ReadImage(NamedTuple):
    """A readable image, and the file as it was found."""

    image: CanonicalImage
    sha256: str  # lower-case hex
    file_bytes: int


class Quarantined(Exception):
    """A file that is left out: a stable name of the reason, details, and the digest if read."""

    def __init__(self, reason: str, detail: str, sha256: str | None = None) -> None:
        super().__init__(reason, detail, sha256)
        self.reason = reason
        self.detail = detail
        self.sha256 = sha256


def read_image(root: Root, file: ImageFile, reading: ImageReading) -> ReadImage:
    """Return the image in a file, decoded whole.

    Raises:
      Quarantined: the file cannot be opened, or holds no image that can be read.
      OSError: this machine is in trouble.
    """
    return image_in(read_bytes(root, file, reading), reading)


def image_in(raw: bytes, reading: ImageReading) -> ReadImage:
    """Return the image that the bytes of a file are, decoded whole.

    Raises:
      Quarantined: they are none that can be read.
    """
    sha256 = hashlib.sha256(raw).hexdigest()
    try:
        return ReadImage(canonicalise(raw, reading), sha256, len(raw))
    except UnreadableImage as error:
        raise Quarantined(error.reason, error.detail, sha256) from error


class Extent(NamedTuple):
    """The lowest and highest value in an image of more than 8 bits a sample."""

    kind: SampleKind
    low: float
    high: float


def read_extent(root: Root, file: ImageFile, reading: ImageReading) -> Extent | None:
    """Return the values that an image goes from and to; None of one of 8 bits or none at all.

    Raises:
      OSError: this machine is in trouble.
    """
    try:
        if not isinstance(root, RemotePath) and not may_be_deep(_read_head(root, file)):
            return None
        values = deep_values(read_bytes(root, file, reading), reading)
    except (Quarantined, UnreadableImage):
        return None  # the ingestion says why
    return values and Extent(values.kind, *values.extent)


def _read_head(root: Path, file: ImageFile) -> bytes:
    with _faults_of_files(), (root / file.path).open("rb") as opened:
        return opened.read(HEAD_BYTES)


def read_bytes(root: Root, file: ImageFile, reading: ImageReading) -> bytes:
    """Return all of a file.

    Raises:
      Quarantined: it cannot be opened or is too large.
      OSError: this machine is in trouble.
    """
    limit = reading.max_bytes
    with _faults_of_files():
        if isinstance(root, RemotePath):
            raw = RemotePath.read(f"{root}/{file.path}")
            if len(raw) > limit:
                raise Quarantined("too_many_bytes", f"{len(raw)}, limit {limit}")
            return raw
        # By bare calls: of small files, paths, file objects and buffers cost the most.
        opened = os.open(f"{root}/{file.path}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(opened).st_size
            if size > limit:
                raise Quarantined("too_many_bytes", f"{size}, limit {limit}")
            return _read_all(opened, size)
        finally:
            os.close(opened)


@contextmanager
def _faults_of_files() -> Iterator[None]:
    """Quarantine the file where reading it says something about it.

    Raises:
      Quarantined: it cannot be opened or read.
      OSError: this machine is in trouble.
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
    """Return what is left of an open file that is probably `size` bytes long."""
    raw = os.read(opened, size + 1)
    if len(raw) == size:
        return raw
    blocks = [raw]  # it is growing, or is longer than one call can read
    while block := os.read(opened, _BLOCK_BYTES):
        blocks.append(block)
    return b"".join(blocks)
