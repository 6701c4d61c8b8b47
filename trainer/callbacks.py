"""What happens beside the training: progress and time left."""

import time

import keras

from contracts.progress import report

SECONDS_BETWEEN_REPORTS = 0.25


class ReportProgress(keras.callbacks.Callback):
    """Tells how many steps are done, the last epoch's metrics and the time left."""

    def __init__(self, steps_per_epoch: int, epochs: int) -> None:
        super().__init__()
        self._steps_per_epoch = steps_per_epoch
        self._total = steps_per_epoch * epochs
        self._epochs = epochs
        self._epoch = 0
        self._metrics = ""
        self._started_s = self._reported_s = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._started_s = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Report, a few times a second at most."""
        now_s = time.monotonic()
        if now_s - self._reported_s < SECONDS_BETWEEN_REPORTS:
            return
        self._reported_s = now_s
        done = self._epoch * self._steps_per_epoch + batch + 1
        left_s = (now_s - self._started_s) / done * (self._total - done)
        self._report(done, f"{_clock(left_s)} left")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep what the epoch reached for the reports of the next one."""
        logs = logs or {}
        shown = [(name, logs[name]) for name in ("loss", "val_accuracy") if name in logs]
        self._metrics = ", ".join(f"{name} {value:.3f}" for name, value in shown)
        self._report((epoch + 1) * self._steps_per_epoch, "")

    def _report(self, done: int, time_left: str) -> None:
        epoch = f"epoch {self._epoch + 1}/{self._epochs}"
        detail = ", ".join(part for part in (epoch, self._metrics, time_left) if part)
        report(done, self._total, "steps", f"({detail})")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
