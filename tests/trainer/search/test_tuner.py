"""A search trains its trials and survives those that cannot be trained."""

import json

import pytest
from mlflow.tracking import MlflowClient

from contracts.config.augmentation.policy import resolve_policy
from contracts.config.search import SearchConfig
from contracts.config.trainer.config import TrainerConfig
from contracts.system.errors import ComponentError
from tests.trainer.search.conftest import RATES, RECIPE, WIDTHS, pretended
from trainer.search.ledger import Ledger
from trainer.search.trial_checkpoints import CHECKPOINTS
from trainer.search.trials import Trials, course_of
from trainer.training.train import train


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_every_algorithm_trains_and_finds_the_best(search_with, store, algorithm):
    trained = []

    def spied(recipe, dataset, **given):
        trained.append(recipe.augmentation)
        return train(recipe, dataset, **given)

    space = {"trainer.learning_rate": RATES, "trainer.model_options.filters": WIDTHS}
    space["augmentation.mixup"] = {"low": 0.1, "high": 0.9}
    epochs = 3 if algorithm == "hyperband" else 1
    tuner = search_with(spied, algorithm=algorithm, trials=2, epochs=epochs, space=space)
    records = list(tuner.ledger)
    assert [record.status for record in records] == ["completed"] * 2
    assert [one.mixup for one in trained] == [one.values["augmentation.mixup"] for one in records]
    assert trained[0].mixup != trained[1].mixup
    assert all(record.values["trainer.model_options.filters"] in WIDTHS for record in records)
    assert all(1e-3 <= record.values["trainer.learning_rate"] <= 1e-1 for record in records)
    best = tuner.ledger.best("val_accuracy")
    assert best.score == max(record.score for record in records)
    assert tuner.oracle.get_best_trials(1)[0].score == best.score
    assert all(len(record.history["val_loss"]) == record.epochs for record in records)
    client = MlflowClient(store.uri)
    parent = client.get_run(tuner.ledger.mlflow_run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["best_val_accuracy"] == pytest.approx(best.score)
    below = client.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    assert len(below) == 2
    found = {run.data.params["trainer.model_options.filters"] for run in below}
    assert found == {json.dumps(one.values["trainer.model_options.filters"]) for one in records}
    assert all(run.info.status == "FINISHED" and run.data.metrics["seconds"] > 0 for run in below)
    history = client.get_metric_history(below[0].info.run_id, "val_accuracy")
    assert [metric.step for metric in history] == list(range(1, len(history) + 1))


def test_trials_change_images_as_strongly_as_their_values_say(search_with):
    policies = []

    def spied(recipe, dataset):
        policies.append(resolve_policy(recipe.augmentation))
        return pretended(recipe, dataset)

    space = {
        "augmentation.operations.rotate.range": [[-10.0, 10.0], [-30.0, 30.0]],
        "augmentation.operations.rotate.probability": {"low": 0.1, "high": 0.9},
        "augmentation.rand_augment.magnitude": {"low": 1.0, "high": 9.0},
    }
    ledger = search_with(spied, trials=4, epochs=1, space=space).ledger
    assert len({json.dumps(record.values) for record in ledger}) == 4
    for record, policy in zip(ledger, policies, strict=True):
        (rotate,) = policy.operations
        applied = (list(rotate.range), rotate.probability, policy.rand_augment.magnitude)
        assert rotate.name == "rotate"
        assert applied == tuple(record.values[key] for key in space)


def test_hyperband_trains_the_better_ones_longer(search_with):
    space = {"trainer.learning_rate": RATES}
    tuner = search_with(pretended, algorithm="hyperband", trials=12, epochs=9, space=space)
    by_epochs = {epochs: [] for epochs in (1, 3, 9)}
    for record in tuner.ledger:
        by_epochs[record.epochs].append(abs(record.values["trainer.learning_rate"] - 0.01))
    assert len(by_epochs[1]) > len(by_epochs[3]) > 0
    assert sorted(by_epochs[3]) == sorted(by_epochs[1])[: len(by_epochs[3])]


def test_hyperbands_longer_rounds_go_on_where_that_gives_the_same(search_with, dataset):
    began = []

    def spied(recipe, dataset, checkpoint=None):
        progress = checkpoint.progress() if checkpoint else None
        trainer = recipe.trainer
        began.append((trainer.schedule, trainer.epochs, progress.epochs if progress else 0))
        return train(recipe, dataset, checkpoint=checkpoint)

    space = {"trainer.schedule": ["constant", "cosine"], "trainer.learning_rate": RATES}
    tuner = search_with(spied, algorithm="hyperband", trials=5, epochs=3, space=space)
    longer = [one for one in tuner.ledger if one.epochs == 3]
    assert ("constant", 3, 1) in began
    assert {gone for schedule, _, gone in began if schedule == "cosine"} <= {0}
    for record in longer:
        values = record.values
        recipe = tuner._trials.recipe_of(values, 3)
        assert record.history["val_loss"] == pytest.approx(
            train(recipe, dataset).history["val_loss"], rel=1e-5
        )


@pytest.mark.parametrize(
    ("fails_in", "folders"),
    [
        # Three trials of an epoch, the best of them for three epochs; then two of another bracket.
        (None, [1, 2, 3, 3, 1, 1]),
        (2, [1, 2, 2, 1, 1, 1]),
    ],
)
def test_no_checkpoint_is_kept_that_no_trial_can_go_on_from(
    search_with, tmp_path, fails_in, folders
):
    kept = tmp_path / "kept" / CHECKPOINTS
    (kept / "of a search that was killed").mkdir(parents=True)
    found = []

    def counted(recipe, dataset, checkpoint):
        found.append(len(list(kept.iterdir())))
        if len(found) == fails_in:
            raise ValueError("it cannot be trained")
        return pretended(recipe, dataset)

    space = {"trainer.schedule": ["constant"], "trainer.learning_rate": RATES}
    search_with(counted, algorithm="hyperband", trials=6, epochs=3, space=space)
    assert found == folders
    assert not kept.exists()


@pytest.mark.parametrize(
    ("trainer", "goes_on"),
    [
        ({"schedule": "constant"}, True),
        ({"schedule": "constant", "warmup_epochs": 1.0}, False),  # squeezed in the shorter one
        ({"schedule": "constant", "fine_tuning": {"frozen_epochs": 3}}, False),
        ({"schedule": "constant", "callbacks": ["mine:Callback"]}, False),  # it may count epochs
        ({"schedule": "cosine"}, False),
        ({"schedule": "step"}, False),
        ({"schedule": "one_cycle"}, False),
    ],
)
def test_which_longer_trainings_begin_with_the_epochs_of_a_shorter_one(dataset, trainer, goes_on):
    recipe = RECIPE.model_copy(
        update={"trainer": TrainerConfig.model_validate({"epochs": 9, **trainer})}
    )
    trials = Trials(recipe, SearchConfig(algorithm="hyperband"), dataset)
    short, long = (course_of(trials.recipe_of({}, epochs)) for epochs in (3, 9))
    assert (short is not None and short == long) is goes_on


def test_a_bayesian_search_comes_nearer(search_with):
    space = {"trainer.learning_rate": RATES}
    tuner = search_with(pretended, algorithm="bayesian", trials=9, space=space)
    assert abs(tuner.ledger.best("val_accuracy").values["trainer.learning_rate"] - 0.01) < 2e-3


def test_the_lowest_loss_is_the_best(search_with):
    space = {"trainer.learning_rate": [0.5, 0.011, 0.3]}
    tuner = search_with(pretended, objective="val_loss", trials=3, space=space)
    assert tuner.ledger.best("val_loss").values == {"trainer.learning_rate": 0.011}
    assert tuner.get_best_hyperparameters()[0].values == {"trainer.learning_rate": 0.011}


def test_a_trial_that_cannot_be_trained_is_logged_and_the_search_goes_on(search_with, store):
    space = {"trainer.learning_rate": [1e30, 0.01], "trainer.warmup_epochs": [0.0, 0.1]}
    tuner = search_with(train, trials=4, epochs=1, space=space)
    by_rate = {}
    for record in tuner.ledger:
        by_rate.setdefault(record.values["trainer.learning_rate"], []).append(record)
    assert {record.status for record in by_rate[0.01]} == {"completed"}
    assert "failed" in {record.status for record in by_rate[1e30]}
    why = next(record.why for record in by_rate[1e30] if record.status == "failed")
    assert "NaN or infinite" in why
    assert tuner.ledger.best("val_accuracy").values["trainer.learning_rate"] == 0.01
    client = MlflowClient(store.uri)
    failed = client.search_runs(
        [client.get_run(tuner.ledger.mlflow_run_id).info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{tuner.ledger.mlflow_run_id}' AND status = 'FAILED'",
    )
    assert {run.data.tags["failure"] for run in failed} == {
        record.why for record in tuner.ledger if record.status == "failed"
    }


def test_values_that_do_not_go_together_fail_their_trial_alone(search_with):
    space = {
        "trainer.model_options.filters": [[4], [4, 4, 4, 4]],
        "trainer.model_options.kernel_size": [3, 5],
        "trainer.model": ["cnn", "convnext_atto"],
    }
    tuner = search_with(pretended, trials=8, epochs=1, space=space)
    statuses = {record.values["trainer.model"]: record.status for record in tuner.ledger}
    assert statuses == {"cnn": "completed", "convnext_atto": "failed"}
    assert any("kernel_size: unknown key" in record.why for record in tuner.ledger)


def test_when_all_trials_fail_a_sentence_says_why_and_where_more_stands(search_with, tmp_path):
    def out_of_memory(recipe, dataset):
        raise MemoryError("no 80 GiB here")

    space = {"trainer.batch_size": [8, 16, 32, 64]}
    log = tmp_path / "kept" / "search.log"
    with pytest.raises(ComponentError) as raised:
        search_with(out_of_memory, trials=4, space=space)
    why = f"MemoryError: no 80 GiB here. Log: {log}"
    assert str(raised.value).startswith(f"Tuner: each of the 4 trials failed: {why}. Narrow")
    assert {one.why for one in Ledger(tmp_path / "kept" / "trials.json")} == {why}
    assert log.read_text().count("in out_of_memory") == 4  # a trace each
    assert '"trainer.batch_size": 64' in log.read_text()
