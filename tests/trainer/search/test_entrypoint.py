"""A search gets the Trainer's data, and needs no MLflow where that is switched off."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("tfx")

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.search import SearchConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from trainer.search import entrypoint
from trainer.search.ledger import LEDGER_FILE
from trainer.search.trial_checkpoints import CHECKPOINTS

RECIPE = TrainingRecipe(
    trainer=TrainerConfig(model_options={"filters": [4]}, epochs=1),
    augmentation=AugmentationConfig(preset="none"),
    seed=0,
)


@pytest.fixture
def arguments(tmp_path):
    """Return `arguments(*datasets)`: what TFX gives, without a store of MLflow."""

    def given(*datasets) -> SimpleNamespace:
        search = SearchConfig(trials=2, space={"trainer.batch_size": [8, 16]})
        return SimpleNamespace(
            train_files=[f"{one.uri}/Split-train/*" for one in datasets],
            working_dir=str(tmp_path / "working"),
            custom_config={
                "recipe": RECIPE.model_dump_json(),
                "search": search.model_dump_json(),
                "tracking": "",
                "kept": str(tmp_path / "kept"),
                "code_digest": "a",
                "training_digest": "b",
            },
        )

    return given


def test_a_search_without_mlflow_ends_with_its_ledger(arguments, dataset, tmp_path, monkeypatch):
    # The one who imports MLflow.
    monkeypatch.setitem(sys.modules, "trainer.search.nested_runs", None)
    made = entrypoint.tuner_fn(arguments(dataset))
    made.tuner.search(**made.fit_kwargs)
    (file,) = Path(tmp_path, "kept").glob(f"*/{LEDGER_FILE}")
    trials = json.loads(file.read_text())["trials"]
    assert [trial["status"] for trial in trials] == ["completed"] * 2


def test_it_trains_on_changed_copies_and_other_copies_are_another_search(
    arguments, dataset, copies, monkeypatch, tmp_path
):
    given = []
    monkeypatch.setattr(entrypoint, "TrialTuner", lambda trials, *_: given.append(trials))
    entrypoint.tuner_fn(arguments(dataset))
    entrypoint.tuner_fn(arguments(copies, dataset))
    assert given[0].dataset == dataset
    assert given[1].dataset.united == (copies.uri,)
    assert given[1].dataset.examples["train"] == dataset.examples["train"] + 16
    assert len(list(Path(tmp_path, "kept").iterdir())) == 2


def test_checkpoints_of_searches_that_were_killed_are_removed(arguments, dataset, tmp_path):
    left = tmp_path / "kept" / "another" / CHECKPOINTS
    left.mkdir(parents=True)
    (left.parent / LEDGER_FILE).touch()
    entrypoint.tuner_fn(arguments(dataset))
    assert not left.exists()
    assert (left.parent / LEDGER_FILE).exists()
