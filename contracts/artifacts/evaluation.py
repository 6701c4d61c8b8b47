"""What a ModelEvaluation artifact says: metrics of candidate and champion, and slices."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from contracts.config.section import Section
from contracts.statistics.wilson import wilson_interval
from contracts.system.atomic_files import write_whole

METRICS_FILE = "metrics.json"
PREDICTIONS_FILE = "predictions.parquet"

Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ModelMetrics(Section):
    """One model over the whole test split."""

    accuracy: Rate
    balanced_accuracy: Rate  # mean recall of the classes
    macro_f1: Rate  # mean F1 of the classes
    log_loss: Annotated[float, Field(ge=0, allow_inf_nan=False)]  # nats


class ClassSlice(Section):
    """One class of the test split."""

    examples: int
    precision: Rate
    recall: Rate
    f1: Rate
    champion_recall: Rate | None


class Metrics(Section):
    """What the gate decides on and the report shows."""

    examples: Annotated[int, Field(ge=1)]
    candidate: ModelMetrics
    champion: ModelMetrics | None
    champion_version: int | None
    largest_class_share: Rate  # accuracy of always answering the largest class
    slices: dict[str, ClassSlice]
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]  # [true][predicted]

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the candidate's accuracy."""
        return wilson_interval(self.candidate.accuracy, self.examples)

    @property
    def largest_class(self) -> str:
        """The class with the most test images; among equals, the first by name."""
        return min(self.slices, key=lambda label: (-self.slices[label].examples, label))

    @property
    def is_above_largest_class(self) -> bool:
        """Whether the candidate is right more often than always answering the largest class."""
        right = round(self.candidate.accuracy * self.examples)
        return right > round(self.largest_class_share * self.examples)

    def write(self, folder: Path) -> None:
        """Put the metrics into `folder`, whole or not at all."""
        write_whole(folder / METRICS_FILE, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: Path) -> "Metrics":
        """Return the metrics in `folder`.

        Raises:
          OSError: the file cannot be read.
          ValueError: it does not hold metrics.
        """
        return cls.model_validate_json((folder / METRICS_FILE).read_text(encoding="utf-8"))
