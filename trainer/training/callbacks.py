"""Callbacks of every training: checkpoints, an early end, progress and the time left."""

import math
import time
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from contracts.system.errors import ComponentError
from contracts.system.progress import report_progress
from trainer.batches.sampling import Position
from trainer.training.averages import swap_averages
from trainer.training.checkpoints import Checkpoint, TrainingProgress
from trainer.training.step_plan import StepCallback, StepPlan

SECONDS_BETWEEN_REPORTS = 0.25

EPOCH_SECONDS = "epoch_seconds"  # key in the metrics of an epoch


class LogLearningRate(keras.callbacks.Callback):
    """Adds the learning rate of an epoch to its metrics, before another callback sets it."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add it."""
        if logs is not None:
            rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
            logs["learning_rate"] = float(rate)


class StopOnNan(StepCallback):
    """Ends the training with a sentence at the first loss that is NaN or infinite."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the loss, which is the mean of the epoch so far.

        Raises:
          ComponentError: it is NaN or infinite; the sentence names the first such step.
        """
        if math.isfinite((logs or {}).get("loss", 0.0)):
            return
        _sync(self.model)
        since = int(keras.ops.convert_to_numpy(self.model.steps_since_nan))
        step = self._step(batch) - max(since - 1, 0)
        raise ComponentError(
            f"Trainer: the loss became NaN or infinite at step {step:,} of {self._plan.steps:,} "
            f"(epoch {self._epoch + 1}). Try a tenth of trainer.learning_rate, "
            "trainer.gradient_clip_norm: 1.0, or trainer.precision: float32."
        )


def _sync(model: Any) -> None:
    """Write the values of the running `fit` into the model's variables."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()  # `fit` keeps them to itself


class SeedPyTorch(StepCallback):
    """Seeds PyTorch's own random numbers at each step, from the seed and the step.

    Dropout draws them. Keras has no variable with their state, so that a checkpoint cannot hold it.
    """

    def __init__(self, plan: StepPlan, seed: int) -> None:
        super().__init__(plan)
        self._seed = seed

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Seed PyTorch for the step."""
        import torch

        seeds = np.random.SeedSequence([self._seed, self._step(batch)])
        torch.manual_seed(int(seeds.generate_state(1)[0]))


class KeepCheckpoints(StepCallback):
    """Keeps the state and the best weights on the disk; ends a training that gets no better."""

    def __init__(self, checkpoint: Checkpoint, progress: TrainingProgress, plan: StepPlan) -> None:
        super().__init__(plan)
        self.progress = progress
        self.position = Position(progress.step)  # of the batches
        self.monitor = "val_loss"
        self.patience = 0
        self.first_epoch = 0  # that patience counts from
        self.every_s = 0.0
        self._checkpoint = checkpoint
        self._began_s = self._saved_s = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._began_s = self._saved_s = time.monotonic()
        self._before_s = self.progress.seconds

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Restore metrics and learning rate of an epoch that was interrupted.

        A callback may just have set the rate for the beginning of this epoch once more.
        """
        super().on_epoch_begin(epoch)
        begins = epoch * self._plan.steps_per_epoch
        self.position.step = max(begins, self._plan.first_step)
        if self._plan.first_step > begins:
            self._checkpoint.restore(self.model, ["optimizer", "metrics"])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Save the state where it is due; the end of the epoch saves that of its last batch."""
        step = self._step(batch)
        is_due = self.every_s and time.monotonic() - self._saved_s >= self.every_s
        if is_due and step % self._plan.steps_per_epoch:
            self._save(step)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save the state, and the weights where they are the best so far.

        The seconds of the epoch are added to its metrics, for the callbacks that come after.
        """
        logs = {} if logs is None else logs
        now_ms = int(time.time() * 1000)
        self.progress = self.progress.after_epoch(logs, self.monitor, self._seconds(), now_ms)
        logs[EPOCH_SECONDS] = self.progress.epoch_seconds[-1]
        if self.progress.best_epoch == epoch:
            swap_averages(self.model)
            self._checkpoint.save_best(self.model.network, epoch)
            swap_averages(self.model)
        self._save((epoch + 1) * self._plan.steps_per_epoch)
        if self.progress.is_out_of_patience(self.patience, self.first_epoch):
            self.model.stop_training = True

    def _save(self, step: int) -> None:
        self._saved_s = time.monotonic()
        self.progress = replace(self.progress, step=step, seconds=self._seconds())
        _sync(self.model)
        self._checkpoint.save(self.progress, self.model)

    def _seconds(self) -> float:
        """Return the seconds of training so far."""
        return self._before_s + time.monotonic() - self._began_s


class ReportProgress(StepCallback):
    """Reports how many steps are done, the last epoch's metrics and the time left."""

    def __init__(self, plan: StepPlan) -> None:
        super().__init__(plan)
        self._metrics = ""
        self._started_s = self._reported_s = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._started_s = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Report, a few times a second at most."""
        now_s = time.monotonic()
        if now_s - self._reported_s < SECONDS_BETWEEN_REPORTS:
            return
        self._reported_s = now_s
        done = self._step(batch)
        pace_s = (now_s - self._started_s) / (done - self._plan.first_step)
        self._report(done, f"{_clock(pace_s * (self._plan.steps - done))} left")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep what the epoch reached for the reports of the next one."""
        logs = logs or {}
        shown = [(name, logs[name]) for name in ("loss", "val_accuracy") if name in logs]
        self._metrics = ", ".join(f"{name} {value:.3f}" for name, value in shown)
        self._report((epoch + 1) * self._plan.steps_per_epoch, "")

    def _report(self, done: int, time_left: str) -> None:
        epoch = f"epoch {self._epoch + 1}/{self._plan.epochs}"
        detail = ", ".join(part for part in (epoch, self._metrics, time_left) if part)
        report_progress(done, self._plan.steps, "steps", f"({detail})")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
