"""A training -> event files that TensorBoard shows."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from contracts.errors import ComponentError
from trainer.tracking.tracker import Point, Training

TRAINING, VALIDATION = "train", "validation"


class TensorBoardRun:
    """A folder a run, below it one for each split, so that both stand in one chart.

    Tags are `epoch/<metric>` and `step/<metric>`; pictures and parameters stand with `train`.
    """

    name = "TensorBoard"

    def __init__(self, folder: str) -> None:
        self.run_id = ""
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def begin(self, training: Training) -> str:
        """Open the event files; see `Tracker`."""
        try:
            self._writers = {
                split: tf.summary.create_file_writer(
                    str(Path(self._folder, training.name, split)), name=split
                )
                for split in (TRAINING, VALIDATION)
            }
            with self._writers[TRAINING].as_default():
                hparams.hparams(training.parameters(), trial_id=training.name)
            self._flush()
        except (OSError, tf.errors.OpError) as error:
            raise ComponentError(
                f"tracking.tensorboard: expected a folder that can be written, received "
                f"{self._folder} ({error})."
            ) from error
        self.run_id = training.name
        return f"run {training.name} of `tensorboard --logdir {self._folder}`"

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
        """Event files hold no files: they lie in the ModelRun artifact."""

    def end(self, *, is_finished: bool) -> None:
        """Close the event files; see `Tracker`."""
        for writer in self._writers.values():
            writer.close()

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()
