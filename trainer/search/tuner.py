"""KerasTuner's search with trials that are trainings of a recipe."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_tuner import Objective, Oracle, errors, oracles
from keras_tuner.engine.base_tuner import BaseTuner

from contracts.config import PipelineConfig
from contracts.consistency import inconsistencies
from contracts.errors import ComponentError, ConfigError, in_one_line, some_of, with_log
from contracts.progress import standing_at
from contracts.search import SearchConfig
from contracts.training import TrainingRecipe
from contracts.variation import for_epochs, told, vary
from trainer.checkpoints import Checkpoint, training_key
from trainer.data import ImageDataset
from trainer.search.ledger import Ledger, TrialRecord
from trainer.search.runs import Runs
from trainer.search.space import decode, hyperparameters
from trainer.train import TrainedModel, train

# Hyperband's own names of what it decides for a trial.
HYPERBAND_EPOCHS = "tuner/epochs"
HYPERBAND_FACTOR = 3

CHECKPOINTS = "checkpoints"  # the folder of them, in KerasTuner's

# A trial in which the process was killed so often takes too much memory, or breaks something else.
MOST_BEGINNINGS = 2

Train = Callable[..., TrainedModel]  # as `trainer.train.train`


@dataclass(frozen=True)
class Trials:
    """What every trial of a search has in common."""

    recipe: TrainingRecipe
    search: SearchConfig
    dataset: ImageDataset
    dimensions: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", self.search.dimensions())

    @property
    def epochs(self) -> int:
        """Of a trial, with Hyperband of the longest."""
        return self.search.epochs or self.recipe.trainer.epochs

    def recipe_of(self, values: dict[str, Any], epochs: int) -> TrainingRecipe:
        """Return the recipe of a trial.

        Raises:
          ConfigError: the values do not go together.
        """
        config = PipelineConfig(
            name="search",
            seed=self.recipe.seed,
            data={"root": self.dataset.uri},
            preprocessing=self.dataset.preprocessing,
            augmentation=self.recipe.augmentation,
            trainer=self.recipe.trainer,
        )
        if "trainer.epochs" not in values:
            config = for_epochs(config, epochs)
        varied, problems = vary(config, values, lambda one: inconsistencies(one, needs_data=False))
        if problems:
            raise ConfigError(told(problems))
        parts = {"trainer": varied.trainer, "augmentation": varied.augmentation}
        return self.recipe.model_copy(update=parts)


class TrialTuner(BaseTuner):
    """Trains every trial that the oracle asks for, and tells MLflow and the ledger of it.

    A trial that cannot be trained is a failed one and the search goes on. Hyperband's later rounds
    go on from the state of the earlier ones where that gives what a training of their length gives;
    elsewhere they train anew.
    """

    def __init__(
        self, trials: Trials, ledger: Ledger, runs: Runs, folder: str, train: Train = train
    ) -> None:
        super().__init__(
            make_oracle(trials), directory=folder, project_name="search", overwrite=True
        )
        self._trials = trials
        self._objective: str = trials.search.objective
        self._train = train
        self.ledger = ledger
        self._runs = runs

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Search until there are no more trials; MLflow's run ends with it."""
        with self._runs:
            super().search(*fit_args, **fit_kwargs)

    def run_trial(self, trial: Any) -> dict[str, float]:
        """Return the objective of a trial, as the ledger knows it or as a training gives it.

        Raises:
          keras_tuner.errors.FailedTrialError: it cannot be trained.
          keras_tuner.errors.FatalError: MLflow does not answer.
        """
        values = decode(self._trials.dimensions, trial.hyperparameters.values)
        epochs = trial.hyperparameters.values.get(HYPERBAND_EPOCHS, self._trials.epochs)
        record = self.ledger.begin(values, values.get("trainer.epochs", epochs))
        if record.status == "running":
            self._settle(record)
            self._tell_mlflow(record, str(trial.trial_id))
        if record.score is None:
            raise errors.FailedTrialError(record.why)
        return {self._objective: record.score}

    def _settle(self, record: TrialRecord) -> None:
        """Train, and write down what came of it."""
        began_s = time.monotonic()
        if record.begun > MOST_BEGINNINGS:
            record.status = "failed"
            record.why = (
                f"the process was killed in it {record.begun - 1} times, as it is where memory "
                "runs out"
            )
            self.ledger.write()
            return
        try:
            recipe = self._trials.recipe_of(record.values, record.epochs)
            with standing_at(self._standing()):
                trained = self._trained(recipe)
            record.history = trained.history
            record.score = float(trained.history[self._objective][trained.best_epoch])
            record.status = "completed"
        except KeyboardInterrupt:
            record.begun -= 1
            raise
        except Exception as error:
            record.status = "failed"
            record.why = with_log(in_one_line(error), self.ledger.log(record))
        finally:
            record.seconds = time.monotonic() - began_s
            self.ledger.write()

    def _trained(self, recipe: TrainingRecipe) -> TrainedModel:
        """Train, from where a shorter training of the same course came to."""
        dataset = self._trials.dataset
        course = course_of(recipe)
        if course is None or self._trials.search.algorithm != "hyperband":
            return self._train(recipe, dataset)
        folder = Path(self.project_dir, CHECKPOINTS, training_key(course, dataset))
        return self._train(recipe, dataset, checkpoint=Checkpoint(folder))

    def _standing(self) -> str:
        ended = [one for one in self.ledger if one.status != "running"]
        best = self.ledger.best(self._objective)
        so_far = f", best {self._objective} {best.score:.3f}" if best else ""
        return f"trial {len(ended) + 1} of {self._trials.search.trials}{so_far}"

    def _tell_mlflow(self, record: TrialRecord, trial_id: str) -> None:
        metrics = {"seconds": record.seconds}
        if record.score is not None:
            metrics["objective"] = record.score
        params = {key: json.dumps(value) for key, value in record.values.items()}
        params["epochs"] = str(record.epochs)
        try:
            self._runs.add(f"trial {trial_id}", params, record.history, metrics, record.why)
        except ComponentError as error:
            raise errors.FatalError(str(error)) from error  # every other one would fail the trial

    def on_search_end(self) -> None:
        """Tell MLflow of the best trial.

        Raises:
          ComponentError: every trial failed.
        """
        best = self.ledger.best(self._objective)
        if best is None:
            reasons = list(dict.fromkeys(record.why for record in self.ledger))
            raise ComponentError(
                f"Tuner: each of the {len(list(self.ledger))} trials failed: "
                f"{some_of(reasons, limit=3)}. Narrow search.space, or see whether "
                "`imgpipe run --to Trainer` trains at all."
            )
        self._runs.sum_up(best.values, {f"best_{self._objective}": best.score})


def course_of(recipe: TrainingRecipe) -> TrainingRecipe | None:
    """Return what a training has in common with longer ones that begin with the very same epochs.

    None where there are none: every other schedule spreads its rates over all epochs.
    """
    if recipe.trainer.schedule != "constant":
        return None
    endless = recipe.trainer.model_copy(update={"epochs": 0})
    return recipe.model_copy(update={"trainer": endless})


def make_oracle(trials: Trials) -> Oracle:
    """Return KerasTuner's oracle of the algorithm; it asks for `search.trials` trials at most."""
    search = trials.search
    direction = "min" if search.objective.endswith("loss") else "max"
    options: dict[str, Any] = {
        "objective": Objective(search.objective, direction),
        "hyperparameters": hyperparameters(trials.dimensions),
        "seed": trials.recipe.seed + 1,  # 0 is a random one
        # Its own 3 would end a search that other trials can save.
        "max_consecutive_failed_trials": search.trials + 1,
    }
    if search.algorithm == "random":
        return oracles.RandomSearchOracle(max_trials=search.trials, **options)
    if search.algorithm == "bayesian":
        return oracles.BayesianOptimizationOracle(max_trials=search.trials, **options)
    oracle = oracles.HyperbandOracle(
        max_epochs=trials.epochs,
        factor=HYPERBAND_FACTOR,
        hyperband_iterations=0,  # as many as there are trials for
        **options,
    )
    oracle.max_trials = search.trials  # TFX asks for it too
    return oracle
