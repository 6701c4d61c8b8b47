"""Searches in a store of their own, with trainings that are real or take no time."""

import pytest

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.search import SearchConfig
from contracts.config.tracking import TrackingStore
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from trainer.search.ledger import Ledger
from trainer.search.nested_runs import NestedRuns
from trainer.search.trials import Trials
from trainer.search.tuner import TrialTuner
from trainer.training.train import TrainedModel

RECIPE = TrainingRecipe(
    trainer=TrainerConfig(
        model_options={"filters": [4]}, epochs=3, batch_size=32, early_stopping_patience=0
    ),
    augmentation=AugmentationConfig(preset="none"),
    seed=0,
)
RATES = {"low": 1e-3, "high": 1e-1, "scale": "log"}
WIDTHS = [[4], [4, 8]]


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> TrackingStore:
    """A MLflow store of SQLite; making its tables takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    return TrackingStore(
        uri=f"sqlite:///{folder}/mlflow.db",
        name="stripes",
        artifact_location=(folder / "artifacts").as_uri(),
    )


@pytest.fixture
def search_with(dataset, store, tmp_path):
    """Return `search_with(train, **search)`: the tuner after its search, with its ledger."""

    def run(train, **given) -> TrialTuner:
        search = SearchConfig.model_validate(given)
        ledger = Ledger(tmp_path / "kept" / "trials.json")
        runs = NestedRuns(store, "search", {}, ledger.mlflow_run_id)
        ledger.use_run(runs.run_id)
        tuner = TrialTuner(
            Trials(RECIPE, search, dataset), ledger, runs, str(tmp_path / "work"), train
        )
        tuner.search()
        return tuner

    return run


def pretended(recipe: TrainingRecipe, dataset) -> TrainedModel:
    """A training that takes no time: the best learning rate is 0.01."""
    rate, epochs = recipe.trainer.learning_rate, recipe.trainer.epochs
    accuracy = [1 - abs(rate - 0.01) + at / 1000 for at in range(epochs)]
    history = {"val_accuracy": accuracy, "val_loss": [1 - one for one in accuracy]}
    return TrainedModel(
        None, history, epochs - 1, epochs, 0.0, 32, rate, None, "CPU", is_chief=True
    )
