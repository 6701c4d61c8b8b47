"""The digest of a listing: an ingestion depends on nothing else of it."""

import hashlib
from collections.abc import Iterator

from components.image_example_gen.listing.layout import Layout


def listing_digest(layout: Layout) -> str:
    """Return the SHA-256 over path, label, split, group and content of every file.

    Skipped entries and empty classes count by their names, since they are part of the manifest and
    of the report of a run. The order of the listing, times and the place of the root do not count.

    The digest of each file's content has to be known (`file_index.FileIndex`).
    """
    whole = hashlib.sha256()
    for path, label, split, group, digest in layout.catalogue.with_digests():
        if digest is None:
            raise ValueError(f"expected a digest of every file, received none of {path!r}")
        rest = "\0".join((label, split or "", group or "", digest))
        whole.update(b"%b\0%b\n" % (path, rest.encode()))
    for line in _others(layout):
        whole.update("\0".join(line).encode("utf-8", "surrogateescape") + b"\n")
    return whole.hexdigest()


def _others(layout: Layout) -> Iterator[tuple[str, ...]]:
    for skipped in layout.skipped:
        yield "skipped", skipped.path, skipped.reason
    for label in sorted(layout.empty_classes):
        yield "empty", label
