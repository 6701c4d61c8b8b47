"""A training -> event files that TensorBoard shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api as hparams

from contracts.system.errors import ComponentError
from trainer.tracking.tracker import LoggedPoints, Point, TrackedTraining

TRAINING, VALIDATION = "train", "validation"


class TensorBoardRun:
    """A folder a run, below it one for each split, so that both stand in one chart.

    Tags are `epoch/<metric>` and `step/<metric>`; pictures and parameters stand with `train`. A
    training that goes on adds event files to the same folders.
    """

    name = "TensorBoard"

    def __init__(self, folder: str) -> None:
        self.run_id = ""
        self.logged = LoggedPoints()
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def begin(self, training: TrackedTraining) -> str:
        """Open the event files; see `Tracker`."""
        folder = Path(self._folder, training.name)
        goes_on = self.name in training.runs and (folder / TRAINING).is_dir()
        try:
            self.logged = _logged_points(folder / TRAINING) if goes_on else LoggedPoints()
            self._writers = {
                split: tf.summary.create_file_writer(str(folder / split), name=split)
                for split in (TRAINING, VALIDATION)
            }
            if not goes_on:
                with self._writers[TRAINING].as_default():
                    hparams.hparams(training.parameters(), trial_id=training.name)
                    if training.note:
                        tf.summary.text("note", training.note, step=0)
            self._flush()
        except (OSError, tf.errors.OpError) as error:
            raise ComponentError(
                f"tracking.tensorboard: expected a folder that can be written, received "
                f"{self._folder} ({error})."
            ) from error
        self.run_id = training.name
        return f"run {training.name} of `tensorboard --logdir {quote(str(self._folder))}`"

    def used(self, parameters: Mapping[str, str]) -> None:
        """Write them as text; see `Tracker`."""
        lines = [f"{name}: {value}" for name, value in parameters.items()]
        with self._writers[TRAINING].as_default():
            tf.summary.text("used", "  \n".join(lines), step=0)
        self._flush()

    def log(self, points: Sequence[Point]) -> None:
        """Write scalars; see `Tracker`."""
        for point in points:
            for name, value in point.metrics.items():
                split = VALIDATION if name.startswith("val_") else TRAINING
                with self._writers[split].as_default():
                    tag = f"{point.scale}/{name.removeprefix('val_')}"
                    tf.summary.scalar(tag, value, step=point.number)
        self._flush()

    def picture(self, name: str, path: Path) -> None:
        """Write an image summary; see `Tracker`."""
        with tf.device("CPU:0"), self._writers[TRAINING].as_default():
            pixels = tf.io.decode_png(path.read_bytes(), channels=3)
            tf.summary.image(name, pixels[tf.newaxis], step=0)
        self._flush()

    def artifact(self, path: Path) -> None:
        """Write nothing: event files hold no files. They are in the ModelRun artifact."""

    def end(self, *, is_finished: bool) -> None:
        """Close the event files; see `Tracker`."""
        for writer in self._writers.values():
            writer.close()

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()


def _logged_points(folder: Path) -> LoggedPoints:
    """Return what event files hold; one that a kill has cut is read up to there."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    steps = {
        scale: frozenset(event.step for event in events.Tensors(f"{scale}/loss"))
        for scale in ("epoch", "step")
        if f"{scale}/loss" in events.Tags()["tensors"]
    }
    return LoggedPoints(steps.get("epoch", frozenset()), max(steps.get("step", ()), default=0))
