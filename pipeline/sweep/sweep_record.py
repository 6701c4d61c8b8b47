"""The record of a sweep, sweep.json: it is written after every training."""

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from contracts.config.section import Section
from contracts.system.atomic_files import write_whole
from contracts.system.errors import WorkspaceError
from pipeline.sweep.paired_statistics import PairedDifference, SeedSpread, paired_difference, spread
from pipeline.sweep.variants import SweepVariant

SWEEP_FILE = "sweep.json"

SweepMetric = Literal["accuracy", "loss"]


def _nan_for_null(value: Any) -> Any:
    return math.nan if value is None else value


# JSON has no NaN and nothing infinite: they are null there.
HistoryValue = Annotated[float, BeforeValidator(_nan_for_null)]


class SweepTraining(Section):
    """One training of a sweep, and its results on the split."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    variant: str
    seed: int
    status: Literal["completed", "failed"]
    accuracy: float | None = None
    loss: float | None = None
    best_epoch: int | None = None  # from 1
    history: dict[str, list[HistoryValue]] = {}
    seconds: float = 0.0
    why: str = ""  # it failed
    # Whether MLflow has it. Its key in sweep.json is `told`.
    is_tracked: bool = Field(default=False, alias="told")


class VariantResult(Section):
    """A variant over its seeds, and against the first variant."""

    name: str
    values: dict[str, JsonValue]
    failed: int
    spread: SeedSpread | None = None  # None: no training of it has ended well
    difference: PairedDifference | None = None  # None: the baseline, or no pair


class SweepRecord(Section):
    """sweep.json; more keys may come, these stay."""

    sweep_id: str
    split: str
    images: int  # in the split
    metric: SweepMetric
    seeds: list[int]  # that were asked for last; trainings may be of more
    trainings: list[SweepTraining] = []
    results: list[VariantResult] = []
    mlflow_run_id: str = ""

    def write(self, folder: Path) -> None:
        """Put the record into the sweep's folder, whole or not at all."""
        write_whole(folder / SWEEP_FILE, self.model_dump_json(indent=1))

    def ended(self, variant: str, seed: int) -> SweepTraining | None:
        """Return the training that has ended well, None where there is none."""
        for one in self.trainings:
            if (one.variant, one.seed, one.status) == (variant, seed, "completed"):
                return one
        return None

    def untracked(self) -> list[SweepTraining]:
        """Return the trainings that have ended well and are not in MLflow."""
        return [one for one in self.trainings if one.status == "completed" and not one.is_tracked]

    def continued_in(self, run_id: str) -> "SweepRecord":
        """Return the record for this MLflow run; a new run has none of the trainings yet."""
        if run_id == self.mlflow_run_id:
            return self
        untracked = [one.model_copy(update={"is_tracked": False}) for one in self.trainings]
        return self.model_copy(update={"mlflow_run_id": run_id, "trainings": untracked})

    def failed(self) -> list[SweepTraining]:
        """Return the trainings that failed, of the seeds that are asked for."""
        return [one for one in self.trainings if one.status == "failed" and one.seed in self.seeds]

    def with_training(self, training: SweepTraining) -> "SweepRecord":
        """Return the record with this training, which replaces one before with the same seed."""
        others = [
            one
            for one in self.trainings
            if (one.variant, one.seed) != (training.variant, training.seed)
        ]
        return self.model_copy(update={"trainings": [*others, training]})

    def with_results(self, variants: Sequence[SweepVariant]) -> "SweepRecord":
        """Return the record with the results of the variants; the first variant is the baseline."""
        values = {variant.name: self._values(variant.name) for variant in variants}
        baseline = values[variants[0].name]
        results = []
        for variant in variants:
            own = values[variant.name]
            pairs = [seed for seed in self.seeds if seed in own and seed in baseline]
            difference = None
            if variant is not variants[0] and pairs:
                difference = paired_difference(
                    [baseline[seed] for seed in pairs],
                    [own[seed] for seed in pairs],
                    higher_is_better=self.metric == "accuracy",
                )
            results.append(
                VariantResult(
                    name=variant.name,
                    values=variant.values,
                    failed=sum(one.variant == variant.name for one in self.failed()),
                    spread=spread(list(own.values())) if own else None,
                    difference=difference,
                )
            )
        return self.model_copy(update={"results": results})

    def _values(self, variant: str) -> dict[int, float]:
        ended = ((seed, self.ended(variant, seed)) for seed in self.seeds)
        return {seed: float(getattr(one, self.metric)) for seed, one in ended if one is not None}


def read_record(folder: Path) -> SweepRecord | None:
    """Return the record in a sweep's folder; None where there is none.

    Raises:
      WorkspaceError: it cannot be read; a new record would replace it.
    """
    path = folder / SWEEP_FILE
    try:
        return SweepRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        said = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
        raise WorkspaceError(
            f"{path}: expected the record of a sweep, received one that cannot be read "
            f"({said}). Correct it, or move it away to train everything again."
        ) from error


def sweep_id(parts: object) -> str:
    """Return the name of the sweep that follows from `parts`, JSON: the same for the same."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
