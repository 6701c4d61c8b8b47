"""The record of a training, an output next to the model."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contracts.system.atomic_files import write_whole

MLFLOW = "MLflow"

# In the ModelRun artifact.
PICTURES_FOLDER = "pictures"
CARD_FOLDER = "model_card"
CARD_FILE = "card.json"  # in it
DIAGRAM_FILE = "diagram.svg"  # in it
NO_CARD_FILE = "no_card.txt"  # in it, instead of all other files: why there is no card
WEIGHTS_FOLDER = "weights"  # of the best and the last epoch
PICTURES_FILE = "pictures.json"  # in it: what was drawn and what was not


@dataclass(frozen=True)
class TrackerRecord:
    """Where one tracker keeps a training, and what is missing there."""

    tracker: str
    place: str  # where a person finds it
    run_id: str = ""  # the tracker's own id of the run
    trouble: str = ""  # empty: all was delivered


@dataclass(frozen=True)
class TrainingRecord:
    """How a model was trained; `write` puts it into the ModelRun artifact."""

    history: dict[str, list[float]]  # metric -> value of each epoch
    best_epoch: int  # from 0
    steps: int
    seconds: float
    parameters: int
    batch_size: int = 0
    learning_rate: float = 0.0
    rates_tried: dict[str, list[float]] | None = None  # where it was found by trial
    devices: str = ""
    precision: str = ""
    tracked: tuple[TrackerRecord, ...] = ()
    labels: tuple[str, ...] = ()  # in the order of the probabilities
    trained_in: str = ""  # name of the run that trained it; empty: the one that wrote this
    written_to: str = ""  # the folder; it may have been moved since, with the places in `tracked`

    FILE = "training.json"

    @property
    def mlflow_run_id(self) -> str | None:
        """The run in MLflow; None where MLflow did not track it."""
        return next((one.run_id for one in self.tracked if one.tracker == MLFLOW), None)

    @classmethod
    def of(
        cls,
        trained: Any,
        labels: Sequence[str],
        tracked: tuple[TrackerRecord, ...] = (),
        trained_in: str = "",
    ) -> "TrainingRecord":
        """Return the record of a `trainer.training.train.TrainedModel`."""
        return cls(
            history=trained.history,
            best_epoch=trained.best_epoch,
            steps=trained.steps,
            seconds=trained.seconds,
            parameters=trained.network.count_params(),
            batch_size=trained.batch_size,
            learning_rate=trained.learning_rate,
            rates_tried=trained.rates_tried,
            devices=trained.devices,
            precision=trained.precision,
            tracked=tracked,
            labels=tuple(labels),
            trained_in=trained_in,
        )

    def write(self, folder: str) -> None:
        """Put the record into `folder`."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        record = asdict(self) | {"written_to": folder}
        write_whole(Path(folder, self.FILE), json.dumps(record, indent=1))

    @classmethod
    def read(cls, folder: str) -> "TrainingRecord":
        """Return the record in `folder`.

        Raises:
          FileNotFoundError: there is none.
        """
        record = json.loads(Path(folder, cls.FILE).read_text(encoding="utf-8"))
        tracked = tuple(TrackerRecord(**one) for one in record.pop("tracked", ()))
        labels = tuple(record.pop("labels", ()))
        return cls(**record, tracked=tracked, labels=labels)
