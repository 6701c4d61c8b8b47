"""Runs imgpipe and its peers on a workload."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.peers.workload import Workload
from bench.process import ProcessUsage, run

IMGPIPE = Path(sys.executable).with_name("imgpipe")


@dataclass(frozen=True)
class MeasuredRun:
    """A run of a contestant: its usage, and the summary if it is imgpipe's."""

    usage: ProcessUsage
    summary: dict[str, Any]
    training_s: float  # `fit` alone; 0 where nothing was trained

    @property
    def overhead_s(self) -> float:
        """Wall time that is not training."""
        return self.usage.seconds - self.training_s

    def component_s(self, name: str) -> float:
        """Return the seconds of a component."""
        return float(self.summary["components"][name]["seconds"])


def wall_seconds(runs: Sequence[MeasuredRun]) -> list[float]:
    """Return the wall time of each run."""
    return [run.usage.seconds for run in runs]


def overhead_seconds(runs: Sequence[MeasuredRun]) -> list[float]:
    """Return the wall time of each run without training."""
    return [run.overhead_s for run in runs]


def run_imgpipe(work: Workload, *options: str) -> MeasuredRun:
    """Run the pipeline in the workload's folder; a second call uses the same workspace."""
    work.folder.mkdir(parents=True, exist_ok=True)
    config = work.folder / "pipeline.yaml"
    config.write_text(yaml.safe_dump(_config(work)))
    workspace = work.folder / "workspace"
    command = [IMGPIPE, "run", "--json", "--config", config, "--workspace", workspace, *options]
    usage = run(command, work.folder / "imgpipe.log")
    summary = json.loads(usage.out)
    trained = summary["components"].get("Trainer", {"cached": True})
    training_s = 0.0 if trained["cached"] else _training_s(workspace)
    return MeasuredRun(usage, summary, training_s)


def run_peer(name: str, work: Workload) -> MeasuredRun:
    """Run a script of `bench.peers` in the workload's folder, which is emptied first."""
    shutil.rmtree(work.folder, ignore_errors=True)
    work.folder.mkdir(parents=True)
    command = [sys.executable, "-m", f"bench.peers.{name}", *work.arguments()]
    usage = run(command, work.folder / f"{name}.log")
    return MeasuredRun(usage, {}, float(json.loads(work.training_file.read_text())["seconds"]))


def artifact(work: Workload, component: str, key: str) -> Path:
    """Return the newest artifact of a component."""
    return newest_artifact(work.folder / "workspace", component, key)


def newest_artifact(workspace: Path, component: str, key: str) -> Path:
    """Return the newest artifact of a component in a workspace."""
    folders = (workspace / "pipeline" / component / key).iterdir()
    return max(folders, key=lambda folder: int(folder.name))


def run_bare_loops(work: Workload) -> dict[str, float]:
    """Return the seconds of bare loops that do the work of single components, after a run."""
    command = [
        *(sys.executable, "-m", "bench.peers.bare_loops"),
        artifact(work, "ImageExampleGen", "examples"),
        artifact(work, "ImageTransform", "transformed_examples"),
        work.folder / "bare",
        work.trainer().model_dump_json(),
    ]
    seconds: dict[str, float] = json.loads(run(command, work.folder / "bare_loops.log").out)
    return seconds


def run_fitting(work: Workload, contestant: str) -> dict[str, float]:
    """Return the figures of a contestant of `bench.peers.fitting`, after a run.

    They are microseconds an image: the whole training step, and the part that waits for data.
    """
    command = [
        *(sys.executable, "-m", "bench.peers.fitting", contestant),
        artifact(work, "ImageTransform", "transformed_examples"),
        work.trainer().model_dump_json(),
    ]
    found: dict[str, float] = json.loads(
        run(command, work.folder / f"fitting-{contestant}.log").out
    )
    return found


def run_ingestion(work: Workload) -> dict[str, float]:
    """Return the seconds of ingestion and of bare loops, and the idle share of the cores."""
    work.folder.mkdir(parents=True, exist_ok=True)
    scratch = work.folder / "ingestion"
    command = [sys.executable, "-m", "bench.peers.ingestion", work.images, scratch]
    seconds: dict[str, float] = json.loads(run(command, work.folder / "ingestion.log").out)
    return seconds


def _config(work: Workload) -> dict[str, Any]:
    return {
        "name": "bench",
        "data": {"root": str(work.images), "splits": {"train": 7, "validation": 1, "test": 2}},
        "preprocessing": {"image_size_px": work.size_px},
        "augmentation": {"preset": "none"},
        "trainer": work.trainer().model_dump(mode="json"),
        "evaluation": {"min_accuracy": 0.0, "max_accuracy_drop": 1.0},
    }


def _training_s(workspace: Path) -> float:
    records = workspace.glob("pipeline/Trainer/model_run/*/training.json")
    newest = max(records, key=lambda path: int(path.parent.name))
    return float(json.loads(newest.read_text())["seconds"])
