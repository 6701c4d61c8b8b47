"""The bytes of a file -> its canonical image, or the reason of its quarantine."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from components.image_example_gen.listing.entries import ImageFile
from components.image_example_gen.reading.file_bytes import (
    Bytes,
    Quarantined,
    read_bytes,
    read_head,
)
from contracts.images.canonical import CanonicalImage, canonicalise
from contracts.images.reading import ImageReading
from contracts.images.refusal import UnreadableImage
from contracts.images.source import deep_values
from contracts.images.values import SampleKind, may_be_deep


class ReadImage(NamedTuple):
    """A readable image, and digest and size of its file."""

    image: CanonicalImage
    sha256: str  # lower-case hex
    file_bytes: int


class Extent(NamedTuple):
    """The lowest and highest value in an image of more than 8 bits a sample."""

    kind: SampleKind
    low: float
    high: float


def image_in(raw: Bytes, reading: ImageReading) -> ReadImage | Quarantined:
    """Return the image in the bytes of a file, decoded whole, or the reason of its quarantine."""
    if isinstance(raw, Quarantined):
        return raw
    sha256 = hashlib.sha256(raw).hexdigest()
    try:
        return ReadImage(canonicalise(raw, reading), sha256, len(raw))
    except UnreadableImage as error:
        return Quarantined(error.reason, error.detail, sha256)


def digest_of(raw: Bytes, reading: ImageReading, decode: bool) -> str | None:
    """Return the SHA-256 of a file as lower-case hex; None if it would be quarantined.

    Without `decode` it is None only for a file that cannot be opened.
    """
    if isinstance(raw, Quarantined):
        return None
    if not decode:
        return hashlib.sha256(raw).hexdigest()
    read = image_in(raw, reading)
    return None if isinstance(read, Quarantined) else read.sha256


def extent_in(raw: Bytes, reading: ImageReading) -> Extent | None:
    """Return the extent of an image; None for one of 8 bits and for a file that is no image."""
    if isinstance(raw, Quarantined):
        return None  # the ingestion quarantines the file
    try:
        values = deep_values(raw, reading)
    except UnreadableImage:
        return None  # the ingestion quarantines the file
    return values and Extent(values.kind, *values.extent)


def read_extent(root: Path, file: ImageFile, reading: ImageReading) -> Extent | None:
    """Return the extent of the image in a file; most files are read only to the first bytes.

    Raises:
      OSError: this machine is in trouble.
    """
    try:
        if not may_be_deep(read_head(root, file)):
            return None
        return extent_in(read_bytes(root, file, reading), reading)
    except Quarantined:
        return None  # the ingestion quarantines the file
