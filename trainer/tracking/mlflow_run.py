"""A training -> a run in MLflow."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    RunStatus,
)
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_RUN_NOTE

from contracts.artifacts.image_dataset import ImageDataset
from contracts.artifacts.training_record import MLFLOW
from contracts.config.tracking import TrackingStore
from registry.mlflow_store import active_run, experiment_id, open_client, translated_errors
from trainer.tracking.tracker import LoggedPoints, Point, TrackedTraining

# Limits of MLflow: of a digest, of the metrics of one call, of a value.
DIGEST_LENGTH = 36
METRICS_AT_ONCE = 1000
PARAMETER_LENGTH = 6000

SYSTEM_SAMPLES_EVERY_S = 5


class MlflowRun:
    """Parameters, data, metrics, use of the machine, pictures and files of one training.

    Metrics of epochs have Keras' names and the epoch as step; those of steps begin with `step/`.
    A training that was interrupted goes on in its run; where the store does not have that any
    more, in a new one whose description says so.
    """

    name = MLFLOW

    def __init__(self, store: TrackingStore, *, system_metrics: bool) -> None:
        self.run_id = ""
        self.logged = LoggedPoints()
        self._store = store
        self._system_metrics = system_metrics
        self._client: MlflowClient  # from `begin` on
        self._monitor: SystemMetricsMonitor | None = None

    def begin(self, training: TrackedTraining) -> str:
        """Create the run, or go on with it; see `Tracker`."""
        run_before = training.runs.get(self.name, "")
        with translated_errors(self._store.uri, OSError):
            self._client = open_client(self._store.uri)
            goes_on = self._goes_on(run_before)
            if not goes_on:
                self._create(training, run_before)
            self._describe(training)
            if self._system_metrics and not training.is_finished:
                self._monitor = SystemMetricsMonitor(
                    self.run_id,
                    sampling_interval=SYSTEM_SAMPLES_EVERY_S,
                    resume_logging=goes_on,
                    tracking_uri=self._store.uri,
                )
                self._monitor.start()
        new = "" if goes_on or not run_before else f"; a new one, since run {run_before} is gone"
        return f"run {training.name}{self._way_to_it()}{new}"

    def used(self, parameters: Mapping[str, str]) -> None:
        """Log them as `used.<name>`; those that are there stay, as MLflow wants it."""
        known = self._client.get_run(self.run_id).data.params
        named = {f"used.{name}": value for name, value in parameters.items()}
        params = [Param(key, value) for key, value in named.items() if key not in known]
        self._client.log_batch(self.run_id, params=params)

    def log(self, points: Sequence[Point]) -> None:
        """Log in bulk; see `Tracker`."""
        metrics = [metric for point in points for metric in _metrics(point)]
        for start in range(0, len(metrics), METRICS_AT_ONCE):
            self._client.log_batch(self.run_id, metrics=metrics[start : start + METRICS_AT_ONCE])

    def picture(self, name: str, path: Path) -> None:
        """Keep a PNG under `pictures/`; see `Tracker`."""
        self._client.log_artifact(self.run_id, str(path), "pictures")

    def artifact(self, path: Path) -> None:
        """Keep a file, or a folder under its name; see `Tracker`."""
        if path.is_dir():
            self._client.log_artifacts(self.run_id, str(path), path.name)
        else:
            self._client.log_artifact(self.run_id, str(path))

    def end(self, *, is_finished: bool) -> None:
        """Mark the run FINISHED or FAILED; see `Tracker`."""
        if self._monitor is not None:
            self._monitor.finish()
        status = RunStatus.FINISHED if is_finished else RunStatus.FAILED
        self._client.set_terminated(self.run_id, RunStatus.to_string(status))

    def _goes_on(self, run_id: str) -> bool:
        """Go on with the run before; False where it is not there, or not in this experiment."""
        run = active_run(self._client, run_id) if run_id else None
        if run is None or run.info.experiment_id != experiment_id(self._client, self._store):
            return False
        self.run_id = run_id
        if run.info.status != RunStatus.to_string(RunStatus.RUNNING):
            self._client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
        epochs, steps = (
            [metric.step for metric in self._client.get_metric_history(run_id, name)]
            for name in ("loss", "step/loss")
        )
        self.logged = LoggedPoints(frozenset(epochs), max(steps, default=0))
        return True

    def _create(self, training: TrackedTraining, run_before: str) -> None:
        goes_on = f"Goes on from run {run_before}, which is no longer in this store."
        note = " ".join(filter(None, [goes_on if run_before else "", training.note]))
        run = self._client.create_run(
            experiment_id(self._client, self._store),
            run_name=training.name,
            tags={MLFLOW_RUN_NOTE: note} if note else None,
        )
        self.run_id = run.info.run_id

    def _describe(self, training: TrackedTraining) -> None:
        """Log parameters and data; doing it again changes nothing."""
        params = [
            Param(key, value[:PARAMETER_LENGTH]) for key, value in training.parameters().items()
        ]
        self._client.log_batch(self.run_id, params=params)
        self._client.log_inputs(self.run_id, [_data(self._store.name, training.dataset)])
        self._client.log_text(
            self.run_id, training.recipe.model_dump_json(indent=1), "config/recipe.json"
        )

    def _way_to_it(self) -> str:
        uri = self._store.uri
        if uri.startswith("http"):
            experiment = experiment_id(self._client, self._store)
            return f" at {uri.rstrip('/')}/#/experiments/{experiment}/runs/{self.run_id}"
        return f" of `mlflow ui --backend-store-uri {quote(uri)}`"


def _metrics(point: Point) -> list[Metric]:
    prefix = "" if point.scale == "epoch" else "step/"
    return [
        Metric(f"{prefix}{name}", value, point.time_ms, point.number)
        for name, value in point.metrics.items()
    ]


def _data(name: str, dataset: ImageDataset) -> DatasetInput:
    """Return the version of the data as MLflow shows it beside a run."""
    profile = {"classes": len(dataset.labels), **dataset.examples}
    return DatasetInput(
        Dataset(
            name=name,
            digest=dataset.fingerprint[:DIGEST_LENGTH],
            source_type="imgpipe",
            source=json.dumps({"fingerprint": dataset.fingerprint}),
            profile=json.dumps(profile),
        ),
        [InputTag(MLFLOW_DATASET_CONTEXT, "training")],
    )
