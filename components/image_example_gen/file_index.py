"""Remembers the digests of files, so that a file which has not changed is not read again."""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
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

Stamp = tuple[int, ...]  # size, mtime_ns, ctime_ns, inode


class FileIndex:
    """What is known of the files of a layout: their stamps now, and digests by path.

    `digests` are SHA-256 as lower-case hex, of the files that are as they were when they were
    read; `unknown` are the others.
    """

    def __init__(self, layout: Layout, path: Path | None = None) -> None:
        """Take the digests that the file at `path` remembers; a damaged one remembers nothing."""
        self._root = layout.root
        self._path = path
        self._known = _remembered(path, layout.root)
        self._stamps = _stamps(layout)
        self.digests = {
            file: digest
            for file, (stamp, digest) in self._known.items()
            if self._stamps.get(file) == stamp
        }
        self.unknown = [file for file in layout.files if file.path not in self.digests]

    @property
    def file_bytes(self) -> int:
        """How large all files are together."""
        return sum(stamp[0] for stamp in self._stamps.values())

    def read_unknown(self) -> None:
        """Read the files that are not known, on all cores."""
        found: dict[str, str] = {}
        remaining = iter(self.unknown)
        tasks = iter(lambda: list(islice(remaining, FILES_A_TASK)), [])
        with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as threads:
            for some in threads.map(self._read, tasks):
                found |= some
                report(len(found), len(self.unknown), "files", "read to see what has changed")
        self.note(found)

    def _read(self, files: Iterable[ImageFile]) -> dict[str, str]:
        return {file.path: _sha256(self._root / file.path) for file in files}

    def note(self, digests: Mapping[str, str]) -> bool:
        """Take the digests of files that have been read; return whether any of them is new."""
        if digests.items() <= self.digests.items():
            return False
        self.digests |= digests
        self.unknown = [file for file in self.unknown if file.path not in self.digests]
        return True

    def write(self) -> None:
        """Remember the digests of files that have been left alone for a moment.

        Raises:
          OSError: the file cannot be written.
        """
        settled = time.time_ns() - SETTLED_NS
        fresh = {
            path: (stamp, self.digests[path])
            for path, stamp in self._stamps.items()
            if path in self.digests and 0 < max(stamp[1:3]) < settled
        }
        if self._path is not None and fresh != self._known:
            write_whole(self._path, json.dumps({"root": str(self._root), "files": fresh}))


def _stamps(layout: Layout) -> dict[str, Stamp]:
    """Return the stamp of every file, zeros of one that cannot be asked.

    Relative to an open folder, which takes half the time of whole paths.
    """
    folder = os.open(layout.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return {file.path: _stamp(file.path, folder) for file in layout.files}
    finally:
        os.close(folder)


def _stamp(path: str, folder: int) -> Stamp:
    try:
        stat = os.stat(path, dir_fd=folder)
    except OSError:
        return (0, 0, 0, 0)  # the ingestion opens it again and says why it cannot
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except OSError:
        return UNREADABLE  # not swallowed: the ingestion opens it again and says why it cannot
    return digest.hexdigest()


def _remembered(path: Path | None, root: Path) -> dict[str, tuple[Stamp, str]]:
    if path is None or not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="ascii"))
        if record["root"] != str(root):
            return {}
        return {file: (tuple(stamp), digest) for file, (stamp, digest) in record["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
