"""Where a training can be followed: MLflow, TensorBoard, Weights & Biases, CSV; none required."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from contracts.artifacts.training_record import TrackerRecord
from contracts.config.tracking import TrackingPlan
from trainer.tracking.delivery import Delivery
from trainer.tracking.metrics import ReportMetrics
from trainer.tracking.tracker import Point, TrackedTraining, Tracker
from trainer.tracking.tracker_runs import TrackerRuns

__all__ = ["Point", "TrackedTraining", "Tracker", "TrackerRuns", "Tracking", "run_name", "trackers"]


class Tracking:
    """Passes one training to every tracker; as a context manager it begins and ends their runs.

    A tracker that cannot begin raises ComponentError before anything is trained. One that fails
    later loses what it was given and is named in `tracked`; the training goes on. Epochs that ended
    before this process began are logged first, in each run those that it does not have.
    """

    def __init__(
        self,
        chosen: Sequence[Tracker],
        training: TrackedTraining,
        keep: Callable[[TrackerRuns], None] = lambda runs: None,
    ) -> None:
        """Take the trackers of a training; `keep` is called with their runs when each begins."""
        self.tracked: tuple[TrackerRecord, ...] = ()  # from the end on
        self._training = training
        self._keep = keep
        self._trackers = chosen
        self._deliveries = [Delivery(tracker) for tracker in chosen]
        self._begun: list[Delivery] = []

    def __enter__(self) -> "Tracking":
        try:
            for delivery in self._deliveries:
                delivery.begin(self._training)
                self._begun.append(delivery)
                ids = {tracker.name: tracker.run_id for tracker in self._trackers}
                self._keep(TrackerRuns(self._training.name, {**self._training.runs, **_known(ids)}))
            for point in self._training.epochs:
                self.log(point)
        except BaseException:
            self._end(is_finished=False)
            raise
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        self._end(is_finished=error_type is None)

    def callback(self) -> ReportMetrics:
        """Return the Keras callback that logs epochs and steps."""
        return ReportMetrics(self.log, self.used)

    def used(self, parameters: Mapping[str, str]) -> None:
        """Log the values that the training chose."""
        for delivery in self._begun:
            delivery.used(parameters)

    def log(self, point: Point) -> None:
        """Log metrics."""
        for delivery in self._begun:
            delivery.log(point)

    def picture(self, name: str, path: Path) -> None:
        """Show a PNG, which stays where it is."""
        for delivery in self._begun:
            delivery.picture(name, path)

    def artifact(self, path: Path) -> None:
        """Keep a file or folder, which stays where it is."""
        for delivery in self._begun:
            delivery.artifact(path)

    def _end(self, *, is_finished: bool) -> None:
        self.tracked = tuple(delivery.end(is_finished=is_finished) for delivery in self._begun)


def _known(ids: Mapping[str, str]) -> dict[str, str]:
    return {tracker: run_id for tracker, run_id in ids.items() if run_id}


def trackers(plan: TrackingPlan) -> list[Tracker]:
    """Return the trackers that are switched on; each imports its library only now."""
    tracking = plan.tracking
    chosen: list[Tracker] = []
    if tracking.mlflow.enabled:
        from trainer.tracking.mlflow_run import MlflowRun

        chosen.append(MlflowRun(plan.store, system_metrics=tracking.mlflow.system_metrics))
    if tracking.tensorboard.enabled:
        from trainer.tracking.tensorboard_run import TensorBoardRun

        chosen.append(TensorBoardRun(plan.tensorboard_folder))
    if tracking.wandb.enabled:
        from trainer.tracking.wandb_run import WandbRun

        chosen.append(WandbRun(tracking.wandb, plan.store.name, plan.wandb_folder))
    if tracking.csv.enabled:
        from trainer.tracking.csv_run import CsvRun

        chosen.append(CsvRun())
    return chosen


def run_name(model: str) -> str:
    """Return the name of a run in every tracker: the time in UTC and the model."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{''.join(c if c.isalnum() or c in '._-' else '-' for c in model)}"
