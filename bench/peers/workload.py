"""What every contestant is asked to do, and how it reports what its training took."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.config.trainer.config import TrainerConfig

# A learning rate that neither needs a schedule; nothing here depends on what is learnt.
LEARNING_RATE = 1e-3
# Small, as it is where the cost around the training decides whether a pipeline is used at all.
FILTERS = (16, 32)


@dataclass(frozen=True)
class Workload:
    """An image folder, `<class>/*`, and how it is trained on: 7 : 1 : 2 for the three splits."""

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
        """Return the work as the options of a peer."""
        return [part for key, value in asdict(self).items() for part in (f"--{key}", str(value))]

    @property
    def training_file(self) -> Path:
        """Where a peer writes how many seconds `fit` took."""
        return self.folder / "training.json"

    def write_training(self, seconds: float) -> None:
        """Note how long `fit` took."""
        self.training_file.write_text(json.dumps({"seconds": seconds}))


def parse_workload() -> Workload:
    """Return the work that the command line asks for."""
    parser = argparse.ArgumentParser()
    for key in ("images", "folder"):
        parser.add_argument(f"--{key}", type=Path, required=True)
    for key in ("size_px", "epochs", "batch_size"):
        parser.add_argument(f"--{key}", type=int, required=True)
    return Workload(**vars(parser.parse_args()))
