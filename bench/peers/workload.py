"""The workload of every contestant, and the file with the seconds of its training."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.config.trainer.config import TrainerConfig

# A learning rate without a schedule: the accuracy plays no part here.
LEARNING_RATE = 1e-3
# A small model: the overhead of a pipeline matters most there.
FILTERS = (16, 32)


@dataclass(frozen=True)
class Workload:
    """An image folder, `<class>/*`, and the training; the splits are cut 7 : 1 : 2."""

    images: Path
    folder: Path  # for everything that is written
    size_px: int
    epochs: int
    batch_size: int

    def trainer(self) -> TrainerConfig:
        """Return the model that all contestants train."""
        return TrainerConfig(
            model="cnn",
            model_options={"filters": list(FILTERS)},
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=LEARNING_RATE,
            early_stopping_patience=0,
        )

    def arguments(self) -> list[str]:
        """Return the workload as the options of a peer."""
        return [part for key, value in asdict(self).items() for part in (f"--{key}", str(value))]

    @property
    def training_file(self) -> Path:
        """The file that a peer writes the seconds of `fit` to."""
        return self.folder / "training.json"

    def write_training(self, seconds: float) -> None:
        """Write the seconds of `fit`."""
        self.training_file.write_text(json.dumps({"seconds": seconds}))


def parse_workload() -> Workload:
    """Return the workload of the command line."""
    parser = argparse.ArgumentParser()
    for key in ("images", "folder"):
        parser.add_argument(f"--{key}", type=Path, required=True)
    for key in ("size_px", "epochs", "batch_size"):
        parser.add_argument(f"--{key}", type=int, required=True)
    return Workload(**vars(parser.parse_args()))
