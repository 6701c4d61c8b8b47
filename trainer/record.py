"""The record of a training that lies beside its model."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.whole_files import write_whole


@dataclass(frozen=True)
class TrainingRecord:
    """How a model came about; `write` puts it into the ModelRun artifact."""

    history: dict[str, list[float]]  # metric -> value of each epoch
    best_epoch: int  # from 0
    steps: int
    seconds: float
    parameters: int
    mlflow_run_id: str

    FILE = "training.json"

    def write(self, folder: str) -> None:
        """Put the record into `folder`."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_whole(Path(folder, self.FILE), json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, folder: str) -> "TrainingRecord":
        """Return the record in `folder`.

        Raises:
          FileNotFoundError: there is none.
        """
        return cls(**json.loads(Path(folder, cls.FILE).read_text(encoding="utf-8")))
