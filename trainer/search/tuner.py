"""KerasTuner's search with trials that are trainings of a recipe."""

import json
import time
from collections.abc import Callable
from typing import Any

from keras_tuner import Objective, Oracle, errors, oracles
from keras_tuner.engine.base_tuner import BaseTuner

from contracts.config.trainer.config import TrainingRecipe
from contracts.system.errors import ComponentError, in_one_line, some_of, with_log
from contracts.system.full_disk import is_disk_full
from contracts.system.progress import progress_detail
from trainer.search.ledger import Ledger, TrialRecord
from trainer.search.runs import Runs
from trainer.search.space import decode, hyperparameters
from trainer.search.trial_checkpoints import CHECKPOINTS, TrialCheckpoints
from trainer.search.trials import Trials, course_of
from trainer.training.train import TrainedModel, train

# Hyperband's names of the values that it adds to a trial.
HYPERBAND_EPOCHS = "tuner/epochs"
HYPERBAND_BRACKET = "tuner/bracket"
HYPERBAND_FACTOR = 3

Train = Callable[..., TrainedModel]  # as `trainer.training.train.train`


class TrialTuner(BaseTuner):
    """Trains every trial that the oracle asks for, and logs it in the ledger and in MLflow.

    A trial that cannot be trained has failed, and the search goes on. Hyperband's later rounds go
    on from the state of the rounds before where the result is that of a training of their length;
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
        self._checkpoints = TrialCheckpoints(ledger.folder / CHECKPOINTS)

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Search until there are no more trials; MLflow's run ends with it."""
        try:
            with self._runs:
                super().search(*fit_args, **fit_kwargs)
        finally:
            self._checkpoints.clear()

    def on_search_begin(self) -> None:
        """Log the trials that MLflow does not have: it was away, or the process was killed.

        Raises:
          ComponentError: MLflow does not answer, or the ledger cannot be written.
        """
        for record in self.ledger:
            if record.status != "running" and not record.is_logged:
                self._log_trial(record)

    def run_trial(self, trial: Any) -> dict[str, float]:
        """Return the objective of a trial, as the ledger knows it or as a training gives it.

        Raises:
          keras_tuner.errors.FailedTrialError: it cannot be trained.
          keras_tuner.errors.FatalError: MLflow does not answer, or the disk takes no more.
        """
        given = trial.hyperparameters.values
        values = decode(self._trials.dimensions, given)
        epochs = values.get("trainer.epochs", given.get(HYPERBAND_EPOCHS, self._trials.epochs))
        try:
            self._checkpoints.enter(given.get(HYPERBAND_BRACKET))
            record = self._ended(values, epochs)
        except Exception as error:  # KerasTuner counts every other error as a failure of the trial
            raise errors.FatalError(in_one_line(error)) from error
        if record.score is None:
            raise errors.FailedTrialError(record.why)
        return {self._objective: record.score}

    def _ended(self, values: dict[str, Any], epochs: int) -> TrialRecord:
        """Return the record of a trial that has ended; one that has not is trained and logged."""
        record = self.ledger.begin(values, epochs)
        if record.status == "running":
            self._settle(record)
            self._log_trial(record)
        return record

    def _settle(self, record: TrialRecord) -> None:
        """Train, and record the result."""
        began_s = time.monotonic()
        if record.kills:
            record.status = "failed"
            record.why = (
                f"the process was killed in it {record.begun - 1} times, as it is where memory "
                "runs out"
            )
            self.ledger.write()
            return
        try:
            recipe = self._trials.recipe_of(record.values, record.epochs)
            with progress_detail(self._standing()):
                trained = self._trained(recipe)
            record.history = trained.history
            record.score = float(trained.history[self._objective][trained.best_epoch])
            record.status = "completed"
        except KeyboardInterrupt:
            self.ledger.take_back(record)
            raise
        except Exception as error:
            if is_disk_full(error):  # the disk would be full in every other trial too
                self.ledger.take_back(record)
                raise
            record.status = "failed"
            record.why = with_log(in_one_line(error), self.ledger.log(record))
        record.seconds = time.monotonic() - began_s
        self.ledger.write()

    def _trained(self, recipe: TrainingRecipe) -> TrainedModel:
        """Train, from the end of a shorter training of the same course where there is one."""
        dataset = self._trials.dataset
        course = course_of(recipe)
        if course is None or self._trials.search.algorithm != "hyperband":
            return self._train(recipe, dataset)
        checkpoint = self._checkpoints.of(course)
        may_go_on = False
        try:
            trained = self._train(recipe, dataset, checkpoint=checkpoint)
            may_go_on = recipe.trainer.epochs < self._trials.epochs
        finally:
            if not may_go_on:
                checkpoint.remove()
        return trained

    def _standing(self) -> str:
        best = self.ledger.best(self._objective)
        so_far = f", best {self._objective} {best.score:.3f}" if best else ""
        return f"trial {len(self.oracle.trials)} of {self._trials.search.trials}{so_far}"

    def _log_trial(self, record: TrialRecord) -> None:
        """Log a trial that has ended in MLflow, and note that in the ledger."""
        metrics = {"seconds": record.seconds}
        if record.score is not None:
            metrics["objective"] = record.score
        params = {key: json.dumps(value) for key, value in record.values.items()}
        params["epochs"] = str(record.epochs)
        name = f"trial {self.ledger.place(record)}"
        self._runs.add(name, params, record.history, metrics, record.why)
        record.is_logged = True
        self.ledger.write()

    def on_search_end(self) -> None:
        """Log the best trial in MLflow.

        Raises:
          ComponentError: every trial failed.
        """
        best = self.ledger.best(self._objective)
        if best is None or best.score is None:
            reasons = list(dict.fromkeys(record.why for record in self.ledger))
            raise ComponentError(
                f"Tuner: each of the {len(list(self.ledger))} trials failed: "
                f"{some_of(reasons, limit=3)}. Narrow search.space, or see whether "
                "`imgpipe run --to Trainer` trains at all."
            )
        self._runs.sum_up(best.values, {f"best_{self._objective}": best.score})


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
