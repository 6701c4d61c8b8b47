"""One digest for all that a listing says: what an ingestion of it follows from."""

import hashlib
from collections.abc import Iterator, Mapping

from components.image_example_gen.listing import Layout


def listing_digest(layout: Layout, digests: Mapping[str, str]) -> str:
    """Return the SHA-256 over path, label, split, group and content of every file.

    Entries that the listing skipped and empty classes count by their names: they are part of the
    accounts, and so of what a run over them says. It depends on neither the order of listing,
    nor times, nor where the root lies.

    Args:
      layout: the listing.
      digests: the content of each file, by its path (`file_index.FileIndex.digests`).
    """
    whole = hashlib.sha256()
    for fields in _lines(layout, digests):
        whole.update("\0".join(fields).encode("utf-8", "surrogateescape") + b"\n")
    return whole.hexdigest()


def _lines(layout: Layout, digests: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for file in sorted(layout.files, key=lambda file: file.path):
        yield file.path, file.label, file.split or "", file.group or "", digests[file.path]
    for skipped in sorted(layout.skipped, key=lambda skipped: skipped.path):
        yield "skipped", skipped.path, skipped.reason
    for label in sorted(layout.empty_classes):
        yield "empty", label
