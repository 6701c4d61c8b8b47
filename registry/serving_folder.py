"""The folder that a model server watches: the champion's version, and the others on standby."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from contracts.artifacts.signatures import SAVED_MODEL_FILE

LOCK_FILE = ".push.lock"
# Model servers look at folders named by numbers alone.
STANDBY = "standby"
INCOMING_PREFIX = ".incoming-"
REPLACED_PREFIX = ".replaced-"


@dataclass(frozen=True)
class ServingFolder:
    """The versions of one model: `root`/<version> serves, `root`/standby/<version> does not.

    TensorFlow Serving loads the highest number that it finds in `root`. So the champion stands
    there alone.
    """

    root: Path

    def find(self, version: int) -> Path | None:
        """Return where the SavedModel of a version lies; None where it is not here."""
        places = (self.root / str(version), self.root / STANDBY / str(version))
        return next((place for place in places if (place / SAVED_MODEL_FILE).is_file()), None)

    def versions(self) -> list[int]:
        """Return the versions that are here, in ascending order."""
        return sorted({*_numbered(self.root), *_numbered(self.root / STANDBY)})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out of the folder, which is made where it is missing."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / LOCK_FILE).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def copied(self, model: Path) -> Iterator[Path]:
        """Give a copy of a SavedModel that no server sees; it is removed unless it was moved."""
        for left_behind in self.root.glob(f"{INCOMING_PREFIX}*"):  # by a push that was killed
            shutil.rmtree(left_behind)
        incoming = self.root / f"{INCOMING_PREFIX}{uuid.uuid4().hex}"
        try:
            shutil.copytree(model, incoming)
            yield incoming
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
            self._remove_empty_standby()

    def standby_path(self, version: int) -> Path:
        """Return the place of a version that does not serve; the folder that holds it is made."""
        (self.root / STANDBY).mkdir(exist_ok=True)
        return self.root / STANDBY / str(version)

    def restore(self, version: int, model: Path) -> None:
        """Put a copy of its SavedModel into the place of a version that is gone or damaged.

        What stood there is kept under a name that no server looks at.
        """
        with self.copied(model) as incoming:
            for folder in (self.root, self.root / STANDBY):
                if (folder / str(version)).exists():
                    aside = self.root / f"{REPLACED_PREFIX}{version}-{uuid.uuid4().hex}"
                    (folder / str(version)).rename(aside)
            incoming.rename(self.standby_path(version))

    def serve(self, champion: int | None) -> None:
        """Let the champion serve, and it alone.

        The champion comes before the others go: a server always finds a version.
        """
        standing_by = self.root / STANDBY / str(champion)
        if standing_by.is_dir():
            standing_by.rename(self.root / str(champion))
        for version in _numbered(self.root):
            if version != champion:
                (self.root / str(version)).rename(self.standby_path(version))
        self._remove_empty_standby()

    def _remove_empty_standby(self) -> None:
        with suppress(OSError):  # there is no such folder, or it is not empty
            (self.root / STANDBY).rmdir()


def model_digest(model: Path) -> str:
    """Return the SHA-256 of a folder's relative paths and contents, as lower-case hex."""
    digest = hashlib.sha256()
    for path in sorted(path for path in model.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(model).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def _numbered(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
