"""One digest for a data set: the same pictures under the same names and labels, anywhere."""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from components.image_example_gen.listing import ImageFile, Layout
from contracts.progress import report
from contracts.whole_files import write_whole

# A file that changed a moment ago may change again within the clock's grain: its digest is not
# remembered (as git does with its "racy" entries).
SETTLED_NS = 2 * 10**9
FILES_A_TASK = 256
# Stands for the content of a file that cannot be read; ingestion quarantines it.
UNREADABLE = "unreadable"

Stamp = list[int]  # size, mtime_ns, ctime_ns, inode
Entry = tuple[Stamp, str]  # and the SHA-256 as lower-case hex
Index = dict[str, Entry]  # by path


def dataset_fingerprint(layout: Layout, index_path: Path | None = None) -> str:
    """Return the SHA-256 over path, label, split, group and content of every file.

    Entries that the listing skipped and empty classes count by their names. It depends on
    neither the order of listing, nor times, nor where the root lies.

    Args:
      layout: the listing.
      index_path: remembers the digests of files that have been read, so that the next call
        reads only those that changed. A damaged index is made anew.

    Raises:
      OSError: the index cannot be written.
    """
    known = _read_index(index_path, layout.root)
    whole = hashlib.sha256()
    entries = dict(_entries(layout, known))
    for file in sorted(layout.files, key=lambda file: file.path):
        fields = (file.path, file.label, file.split or "", file.group or "", entries[file.path][1])
        whole.update("\0".join(fields).encode("utf-8", "surrogateescape") + b"\n")
    # What was left out is part of the accounts, and so of what a run over them says.
    for skipped in sorted(layout.skipped, key=lambda skipped: skipped.path):
        fields = ("skipped", skipped.path, skipped.reason)
        whole.update("\0".join(fields).encode("utf-8", "surrogateescape") + b"\n")
    for label in sorted(layout.empty_classes):
        whole.update(f"empty\0{label}\n".encode("utf-8", "surrogateescape"))
    settled = time.time_ns() - SETTLED_NS
    fresh = {path: entry for path, entry in entries.items() if 0 < max(entry[0][1:3]) < settled}
    if index_path is not None and fresh != known:
        _write_index(index_path, layout.root, fresh)
    return whole.hexdigest()


def _entries(layout: Layout, known: Index) -> Iterator[tuple[str, Entry]]:
    """Give path and entry of every file, reading on all cores those that are not known."""
    done = 0
    files = iter(layout.files)
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as threads:
        tasks = iter(lambda: list(islice(files, FILES_A_TASK)), [])
        for task in threads.map(lambda some: _read(layout.root, some, known), tasks):
            yield from task
            done += len(task)
            report(done, len(layout.files), "files", "read for the fingerprint")


def _read(root: Path, files: Iterable[ImageFile], known: Index) -> list[tuple[str, Entry]]:
    return [(file.path, _entry(root / file.path, known.get(file.path))) for file in files]


def _entry(path: Path, known: Entry | None) -> Entry:
    try:
        stat = path.stat()
        stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        if known is not None and known[0] == stamp:
            return known
        return stamp, _sha256(path)
    except OSError:
        # Not swallowed: the ingestion opens it again and says why it cannot.
        return [0, 0, 0, 0], UNREADABLE


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _read_index(index_path: Path | None, root: Path) -> Index:
    if index_path is None or not index_path.is_file():
        return {}
    try:
        record = json.loads(index_path.read_text(encoding="ascii"))
        if record["root"] != str(root):
            return {}
        return {path: (stamp, digest) for path, (stamp, digest) in record["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_index(index_path: Path, root: Path, index: Index) -> None:
    write_whole(index_path, json.dumps({"root": str(root), "files": index}))
