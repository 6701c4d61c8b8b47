"""Metrics of Keras -> points for the trackers."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import keras

from trainer.tracking.tracker import Point

# Reading a metric waits for the device: over the whole training it happens this often at most,
# besides once an epoch.
POINTS_OF_STEPS = 1000

# Keras gives these as means of the epoch so far; of others nothing is known.
MEANS = ("loss", "accuracy")
SO_FAR = "_so_far"


class ReportMetrics(keras.callbacks.Callback):
    """Logs every epoch, and steps at even distances.

    `loss` and `accuracy` of a step are means over the steps of its epoch since the last one logged;
    metrics of the user's own are of its epoch so far, and named so.
    """

    def __init__(
        self,
        log: Callable[[Point], None],
        log_used: Callable[[Mapping[str, str]], None] = lambda parameters: None,
    ) -> None:
        super().__init__()
        self._log = log
        self._log_used = log_used
        self._used: Mapping[str, str] = {}
        self._stride = 1
        self._epoch = 0
        self._next_step = 0
        self._logged = 0  # steps of the epoch that were logged
        self._sums: dict[str, float] = {}  # of their metrics

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Set the distance of logged steps, and log the values that the training chose."""
        if self.model.used != self._used:
            self._used = self.model.used
            self._log_used(self._used)
        self._stride = max(1, self.model.step_plan.steps // POINTS_OF_STEPS)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the sums of the epoch, which go on where it was interrupted."""
        self._epoch = epoch
        self._logged = self._steps_of_epoch(-1)
        before = self.model.get_metrics_result() if self._logged else {}
        self._sums = {name: float(before.get(name, 0.0)) * self._logged for name in MEANS}

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Log a step where the distance is reached."""
        step = self.model.step_plan.step(self._epoch, batch)
        if step < self._next_step or not logs:
            return
        self._next_step = step + self._stride
        metrics = self._own(logs, self._steps_of_epoch(batch))
        self._report("step", step, {**metrics, "learning_rate": self._learning_rate()})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Log the epoch."""
        self._report("epoch", epoch + 1, logs or {})

    def _steps_of_epoch(self, batch: int) -> int:
        plan = self.model.step_plan
        return int(plan.step(self._epoch, batch)) - self._epoch * int(plan.steps_per_epoch)

    def _own(self, logs: dict[str, Any], steps: int) -> dict[str, float]:
        """Return the means over the steps since the last ones that were logged."""
        own: dict[str, float] = {}
        for name in MEANS:
            total = float(logs[name]) * steps
            own[name] = (total - self._sums[name]) / (steps - self._logged)
            self._sums[name] = total
        self._logged = steps
        return own | {name + SO_FAR: logs[name] for name in logs if name not in MEANS}

    def _report(self, scale: Any, number: int, logs: dict[str, Any]) -> None:
        metrics = {name: float(value) for name, value in logs.items()}
        self._log(Point(scale, number, metrics, int(time.time() * 1000)))

    def _learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
