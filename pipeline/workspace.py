"""The layout of a workspace; no other module knows it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from contracts.config.mlflow_uri import sqlite_uri
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.tracking import TrackingPlan, TrackingStore
from contracts.system.errors import WorkspaceError

LOCK_FILE = ".lock"


@dataclass(frozen=True)
class Workspace:
    """The folder with runs, artifacts, metadata and pushed models."""

    root: Path

    @property
    def pipeline_root(self) -> Path:
        """The folder that TFX puts artifacts in."""
        return self.root / "pipeline"

    @property
    def metadata_db(self) -> Path:
        """The SQLite file of ML Metadata."""
        return self.root / "metadata.db"

    @property
    def mlflow_db(self) -> Path:
        """The SQLite file of MLflow."""
        return self.root / "mlflow.db"

    @property
    def file_index(self) -> Path:
        """The file with the digests of image files."""
        return self.root / "files.index"

    @property
    def checkpoints(self) -> Path:
        """The folder with the state of unfinished trainings."""
        return self.root / "checkpoints"

    @property
    def early_ingestion(self) -> Path:
        """The folder that images are ingested to before ImageExampleGen runs."""
        return self.root / "early-ingestion"

    def artifacts(self, component: str, key: str) -> list[Path]:
        """Return the folders of a component's artifacts, the newest first."""
        folder = self.pipeline_root / component / key
        found = folder.iterdir() if folder.is_dir() else ()
        numbered = [path for path in found if path.name.isdecimal()]
        return sorted(numbered, key=lambda path: int(path.name), reverse=True)

    @property
    def runs(self) -> Path:
        """The folder with a folder for each run."""
        return self.root / "runs"

    def run_folder(self, run_id: str) -> Path:
        """The folder with the summary, the report and the log of a run."""
        return self.runs / run_id

    @property
    def searches(self) -> Path:
        """The folder with the trials of each search, so that a killed search goes on."""
        return self.root / "searches"

    @property
    def sweeps(self) -> Path:
        """The folder with the trainings of each sweep."""
        return self.root / "sweeps"

    def serving(self, name: str) -> Path:
        """The folder with a folder for each version of a model."""
        return self.root / "serving" / name

    def curated_schema(self, digest: str) -> Path:
        """The copy of the curated schema with this content."""
        return self.root / "schemas" / f"{digest}.pbtxt"

    def tracking_store(self, config: PipelineConfig) -> TrackingStore:
        """Return where runs are tracked and models registered."""
        uri = config.tracking.mlflow.uri or sqlite_uri(self.mlflow_db)
        return TrackingStore.at(uri, config.name)

    def tracking_plan(self, config: PipelineConfig) -> TrackingPlan:
        """Return the trackers of a training and their places."""
        return TrackingPlan(
            tracking=config.tracking,
            store=self.tracking_store(config),
            tensorboard_folder=str(self.root / "tensorboard"),
            wandb_folder=str(self.root),
        )

    def run_ids(self) -> list[str]:
        """Return the ids of the runs, the oldest first."""
        if not self.runs.is_dir():
            return []
        return sorted(path.name for path in self.runs.iterdir() if path.is_dir())

    def new_run(self) -> Path:
        """Create and return the folder of a new run, named by the time in UTC."""
        stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
        for name in (stamp, *(f"{stamp}-{n:03}" for n in range(2, 1000))):
            try:
                (self.runs / name).mkdir(parents=True)
            except FileExistsError:
                continue
            return self.runs / name
        raise WorkspaceError(f"{self.runs}: a thousand runs began in one second.")


def workspace_of(artifact: Path) -> Path:
    """Return the workspace of an artifact: <workspace>/pipeline/<component>/<key>/<execution>."""
    return artifact.parents[3]


@contextmanager
def opened_for_run(root: Path) -> Iterator[Workspace]:
    """Give the workspace to one run at a time, made where it is missing.

    Raises:
      WorkspaceError: it cannot be written, or another run is in it.
    """
    workspace = Workspace(root.resolve())
    try:
        workspace.runs.mkdir(parents=True, exist_ok=True)
        file = (workspace.root / LOCK_FILE).open("a+", encoding="ascii")
    except OSError as error:
        raise WorkspaceError(
            unwritable(root, error.strerror or str(error), error.filename)
        ) from error
    with file:
        if not _locked(file, fcntl.LOCK_EX):
            raise WorkspaceError(_in_use(root, file))
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield workspace


def other_run(root: Path) -> list[str]:
    """Return the sentence that another run is in the workspace, or no sentence."""
    try:
        file = (root / LOCK_FILE).open(encoding="ascii")
    except OSError:
        return []  # no run has used it, or it cannot be used at all
    with file:
        return [] if _locked(file, fcntl.LOCK_SH) else [_in_use(root, file)]


def unwritable(root: Path, why: str, place: object) -> str:
    """Return the sentence that a workspace cannot be written."""
    return (
        f"{root}: expected a folder that can be written as workspace, received {why} ({place}). "
        "Name another with --workspace."
    )


def _locked(file: TextIO, kind: int) -> bool:
    """Take a lock on the file until it is closed; return False where another process has it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _in_use(root: Path, file: TextIO) -> str:
    file.seek(0)
    return (
        f"{root}: another run is in this workspace (process {file.read().strip()}). "
        "Wait for it, or name another with --workspace."
    )
