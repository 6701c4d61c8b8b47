"""Puts a SavedModel into the serving folder: a version appears whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.model_registry import DIGEST, SERVING_FOLDER, SOURCE_SCHEME, ModelRegistry
from contracts.errors import ComponentError
from contracts.features import SAVED_MODEL_FILE

if TYPE_CHECKING:
    from components.model_pusher.training_run import TrainingRun

LOCK_FILE = ".push.lock"
# Model servers look at folders named by numbers alone.
INCOMING_PREFIX = ".incoming-"


@dataclass(frozen=True)
class Pushed:
    """Where a model is served from."""

    version: int
    path: Path
    digest: str
    alias: str | None  # that this push gave it; None where it had been pushed before


def push(
    model: Path,
    destination: Path,
    registry: ModelRegistry,
    tags: Mapping[str, str],
    run: TrainingRun | None,
) -> Pushed:
    """Copy `model` to `destination`/<version> and register it; the same model only once.

    The version is the registry's: it grows with every push, also with two in one second, and
    is never used again. The folder is copied beside its place and renamed into it.

    Args:
      model: a SavedModel.
      destination: the serving folder of the registered model.
      registry: where the version is registered.
      tags: the lineage of the model.
      run: the training's, which takes the model too: the registered version is found there.

    Raises:
      ComponentError: `model` is no SavedModel, or the registry's next version stands in the
        serving folder already.
    """
    if not (model / SAVED_MODEL_FILE).is_file():
        raise ComponentError(
            f"ModelPusher: expected a SavedModel in {model}, found no {SAVED_MODEL_FILE}."
        )
    digest = model_digest(model)
    destination.mkdir(parents=True, exist_ok=True)
    with _only_pusher(destination):
        for known in registry.versions():
            if known.tags[DIGEST] == digest and Path(known.path, SAVED_MODEL_FILE).is_file():
                return Pushed(known.version, Path(known.path), digest, None)
        tags = {**tags, SERVING_FOLDER: str(destination), DIGEST: digest}
        return _push_new(model, destination, registry, tags, run)


def model_digest(model: Path) -> str:
    """Return the SHA-256 of a folder's relative paths and contents, as lower-case hex."""
    digest = hashlib.sha256()
    for path in sorted(path for path in model.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(model).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def _push_new(
    model: Path,
    destination: Path,
    registry: ModelRegistry,
    tags: Mapping[str, str],
    run: TrainingRun | None,
) -> Pushed:
    """Copy and register; whatever fails takes back all that was done before it."""
    for left_behind in destination.glob(f"{INCOMING_PREFIX}*"):  # by a push that was killed
        shutil.rmtree(left_behind)
    incoming = destination / f"{INCOMING_PREFIX}{uuid.uuid4().hex}"
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, incoming, ignore_errors=True)
        shutil.copytree(model, incoming)
        if run is None:
            version = registry.begin_version(f"{SOURCE_SCHEME}{destination}", None)
        else:
            run.log_model(model)
            version = registry.begin_version(run.model_uri, run.run_id)
        undo.callback(registry.abandon_version, version)
        _require_new(version, destination)
        path = destination / str(version)
        incoming.rename(path)
        undo.callback(path.rename, incoming)
        alias = registry.finish_version(version, tags)
        undo.pop_all()
    return Pushed(version, path, tags[DIGEST], alias)


def _require_new(version: int, destination: Path) -> None:
    served = [int(path.name) for path in destination.iterdir() if path.name.isdecimal()]
    if max(served, default=0) >= version:
        raise ComponentError(
            f"ModelPusher: the registry's next version is {version}, but {destination} already "
            f"holds version {max(served)}: they do not belong together. Name another "
            "workspace, or move the serving folder away."
        )


@contextmanager
def _only_pusher(destination: Path) -> Iterator[None]:
    """Let pushes to one folder wait for each other."""
    with (destination / LOCK_FILE).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
