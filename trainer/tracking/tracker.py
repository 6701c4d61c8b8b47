"""What a tracker is: it logs the start, the metrics, the pictures and the end of a training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from contracts.config.trainer.config import TrainingRecipe

if TYPE_CHECKING:
    from contracts.artifacts.image_dataset import ImageDataset


@dataclass(frozen=True)
class Point:
    """Metrics at the end of an epoch or of a step."""

    scale: Literal["epoch", "step"]
    number: int  # of the epoch or step, from 1, over the whole training
    metrics: dict[str, float]  # as Keras names them: loss, val_loss, ...
    time_ms: int  # since the epoch of UNIX


@dataclass(frozen=True)
class TrackedTraining:
    """The training that is tracked."""

    name: str  # of the run, e.g. 20260101-120000-cnn
    recipe: TrainingRecipe
    dataset: ImageDataset
    folder: Path  # of the ModelRun artifact
    # Of a training that began in another process:
    runs: Mapping[str, str] = field(default_factory=dict)  # tracker -> its run
    epochs: Sequence[Point] = ()  # that have ended
    is_finished: bool = False  # nothing is trained any more

    @property
    def note(self) -> str:
        """What a new run says of epochs that ended before it began; empty: there are none."""
        if not self.epochs:
            return ""
        ended = datetime.fromtimestamp(self.epochs[-1].time_ms / 1000, timezone.utc)
        return (
            f"The first {len(self.epochs)} epochs were logged after they had ended, at "
            f"{ended:%Y-%m-%d %H:%M:%S} UTC."
        )

    def parameters(self) -> dict[str, str]:
        """Return recipe and preprocessing flat, named as in pipeline.yaml: "trainer.epochs"."""
        sections = self.recipe.model_dump(mode="json")
        sections["preprocessing"] = self.dataset.preprocessing.model_dump(mode="json")
        flat: dict[str, str] = {}
        for section, keys in sections.items():
            if isinstance(keys, dict):
                flat |= {f"{section}.{key}": _text(value) for key, value in keys.items()}
            else:
                flat[section] = _text(keys)
        return flat


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class LoggedPoints:
    """What a run that goes on holds already."""

    epochs: frozenset[int] = frozenset()
    step: int = 0  # the last one

    def has(self, point: Point) -> bool:
        """Return whether the run holds a point."""
        if point.scale == "epoch":
            return point.number in self.epochs
        return point.number <= self.step


class Tracker(Protocol):
    """Somewhere a training can be followed.

    All but `begin` are called from one thread, in order. When one of them raises, what it was
    given is lost, and nothing else. When `begin` raises ComponentError, nothing is trained.
    """

    name: str
    run_id: str  # by which the tracker itself finds the run; empty where it has none
    logged: LoggedPoints  # what the run holds as it begins

    def begin(self, training: TrackedTraining) -> str:
        """Start a run with its parameters and data, and return how a person finds it.

        It is the run in `training.runs`, where that is there and can be gone on with.
        """

    def used(self, parameters: Mapping[str, str]) -> None:
        """Take what the training chose where the config says auto."""

    def log(self, points: Sequence[Point]) -> None:
        """Take metrics, oldest first."""

    def picture(self, name: str, path: Path) -> None:
        """Take a PNG."""

    def artifact(self, path: Path) -> None:
        """Take a file or folder that belongs to the model, where files can be kept."""

    def end(self, *, is_finished: bool) -> None:
        """End the run, as finished or as failed."""
