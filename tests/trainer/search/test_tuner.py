"""A search trains its trials, survives those that cannot be trained, and goes on after a kill."""

import errno
import json
from contextlib import nullcontext

import pytest
from keras_tuner.errors import FatalError
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.augmentation.policy import resolve
from contracts.config.search import SearchConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from contracts.system.errors import ComponentError
from trainer.search.ledger import Ledger
from trainer.search.nested_runs import NestedRuns
from trainer.search.trial_checkpoints import CHECKPOINTS
from trainer.search.trials import Trials, course_of
from trainer.search.tuner import TrialTuner
from trainer.training.train import TrainedModel, train

RECIPE = TrainingRecipe(
    trainer=TrainerConfig(
        model_options={"filters": [4]}, epochs=3, batch_size=32, early_stopping_patience=0
    ),
    augmentation=AugmentationConfig(preset="none"),
    seed=0,
)
RATES = {"low": 1e-3, "high": 1e-1, "scale": "log"}
WIDTHS = [[4], [4, 8]]


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
        policies.append(resolve(recipe.augmentation))
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


def test_a_trial_that_cannot_be_trained_is_told_and_the_search_goes_on(search_with, store):
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


def test_mlflow_tells_how_a_search_ended(search_with, store):
    def interrupted(recipe, dataset):
        raise KeyboardInterrupt

    given = {"trials": 1, "space": {"trainer.batch_size": [8, 16]}}
    with pytest.raises(KeyboardInterrupt):
        search_with(interrupted, **given)
    client = MlflowClient(store.uri)
    (run,) = client.search_runs(
        [client.get_experiment_by_name(store.name).experiment_id],
        "attributes.run_name = 'search'",
        max_results=1,
    )
    assert run.info.status == "KILLED"
    tuner = search_with(pretended, **given)
    assert tuner.ledger.mlflow_run_id == run.info.run_id
    assert client.get_run(run.info.run_id).info.status == "FINISHED"


def test_a_search_whose_run_was_deleted_is_told_in_a_new_one(search_with, store):
    given = {"trials": 2, "space": {"trainer.batch_size": [8, 16]}}
    gone = search_with(pretended, **given).ledger.mlflow_run_id
    client = MlflowClient(store.uri)
    client.delete_run(gone)
    new = search_with(pretended, **given).ledger.mlflow_run_id
    assert new != gone
    parent = client.get_run(new)
    assert parent.info.status == "FINISHED"
    below = client.search_runs([parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{new}'")
    assert sorted(run.info.run_name for run in below) == ["trial 1", "trial 2"]


def test_a_run_of_another_experiment_is_not_gone_on_with(store):
    run_id = NestedRuns(store, "search", {}).run_id
    assert NestedRuns(store, "search", {}, run_id).run_id == run_id
    renamed = store.model_copy(update={"name": "renamed"})
    runs = NestedRuns(renamed, "search", {}, run_id)
    assert runs.run_id != run_id
    client = MlflowClient(store.uri)
    experiment = client.get_experiment_by_name("renamed").experiment_id
    assert client.get_run(runs.run_id).info.experiment_id == experiment


def test_a_store_that_stops_answering_ends_the_search_with_a_sentence(
    search_with, store, monkeypatch
):
    def lost(*_, **__):
        raise MlflowException("connection refused")

    def train_and_lose_the_store(recipe, dataset):
        monkeypatch.setattr(MlflowClient, "log_batch", lost)
        return pretended(recipe, dataset)

    given = {"trials": 2, "space": {"trainer.batch_size": [8, 16]}}
    with pytest.raises(FatalError, match=r"tracking\.mlflow\.uri: .* received: connection refused"):
        search_with(train_and_lose_the_store, **given)
    monkeypatch.undo()
    ledger = search_with(pretended, **given).ledger
    assert [record.is_logged for record in ledger] == [True, True]
    client = MlflowClient(store.uri)
    below = client.search_runs(
        [client.get_run(ledger.mlflow_run_id).info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{ledger.mlflow_run_id}'",
    )
    assert sorted((run.info.run_name, run.info.status) for run in below) == [
        ("trial 1", "FINISHED"),
        ("trial 2", "FINISHED"),
    ]
    assert all("objective" in run.data.metrics for run in below)


def test_a_ledger_that_cannot_be_written_ends_the_search_with_a_sentence(search_with, monkeypatch):
    trained = []

    def train_and_lose_the_right(recipe, dataset):
        trained.append(recipe)
        monkeypatch.setattr("trainer.search.ledger.write_whole", refuse)
        return pretended(recipe, dataset)

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    given = {"trials": 2, "space": {"trainer.batch_size": [8, 16]}}
    with pytest.raises(
        FatalError, match=r"trials\.json to be written, received: Permission denied"
    ):
        search_with(train_and_lose_the_right, **given)
    assert len(trained) == 1


def test_a_full_disk_ends_the_search_and_fails_no_trial(search_with):
    def full(recipe, dataset):
        raise OSError(errno.ENOSPC, "No space left on device")

    given = {"trials": 2, "space": {"trainer.batch_size": [8, 16]}}
    for _ in range(4):
        with pytest.raises(FatalError, match="No space left on device"):
            search_with(full, **given)
    statuses = [record.status for record in search_with(pretended, **given).ledger]
    assert statuses == ["completed"] * 2


class Killed(BaseException):
    """What no search survives."""


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_a_search_that_was_killed_goes_on_where_it_stopped(search_with, algorithm, monkeypatch):
    given = {"algorithm": algorithm, "trials": 7, "epochs": 3}
    given["space"] = {"trainer.learning_rate": RATES}
    trained = []

    def killed_in_the_fifth(recipe, dataset):
        if len(trained) == 4:
            raise Killed
        trained.append(recipe)
        return pretended(recipe, dataset)

    with pytest.raises(Killed):
        search_with(killed_in_the_fifth, **given)
    first = list(trained)
    assert len(first) == 4

    def train_the_rest(recipe, dataset):
        trained.append(recipe)
        return pretended(recipe, dataset)

    tuner = search_with(train_the_rest, **given)
    assert len(trained) == len(list(tuner.ledger)) == 7
    assert not [recipe for recipe in trained[4:] if recipe in first]
    again = search_with(train_the_rest, **given)
    assert len(trained) == 7
    assert again.ledger.mlflow_run_id == tuner.ledger.mlflow_run_id


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_what_failed_is_trained_anew_by_the_next_search_and_nothing_else_is(
    search_with, store, algorithm
):
    given = {"algorithm": algorithm, "trials": 7, "epochs": 3}
    given["space"] = {"trainer.learning_rate": RATES}
    trained = []

    def offline_from_the_third(recipe, dataset):
        if len(trained) >= 2:
            raise OSError("expected the weights, received no network")
        trained.append(recipe)
        return pretended(recipe, dataset)

    def online(recipe, dataset):
        assert recipe not in trained
        trained.append(recipe)
        return pretended(recipe, dataset)

    first = search_with(offline_from_the_third, **given).ledger
    failed = [one.values for one in first if one.status == "failed"]
    assert len(failed) == 5
    ledger = search_with(online, **given).ledger
    began = [one.values for one in ledger if one.status == "completed"]
    # The oracle of a random search asks for the same ones; the others learn from what came of them.
    assert len(trained) == len(began) == 7
    assert failed[0] in began
    if algorithm == "random":
        assert [one.values for one in ledger] == [one.values for one in first]
    client = MlflowClient(store.uri)
    below = client.search_runs(
        [client.get_run(ledger.mlflow_run_id).info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{ledger.mlflow_run_id}' AND status = 'FINISHED'",
    )
    assert len(below) == 7
    search_with(online, **given)
    assert len(trained) == 7


def test_when_all_trials_failed_the_next_search_can_still_succeed(search_with):
    def offline(recipe, dataset):
        raise OSError("no network")

    given = {"trials": 4, "space": {"trainer.batch_size": [8, 16, 32, 64]}}
    with pytest.raises(ComponentError, match="no network"):
        search_with(offline, **given)
    ledger = search_with(pretended, **given).ledger
    assert [(one.status, one.why) for one in ledger] == [("completed", "")] * 4


def test_a_trial_that_fails_again_is_tried_once_a_search(search_with):
    tried = []

    def fails_with_two(recipe, dataset):
        if recipe.trainer.batch_size == 16:
            tried.append(recipe)
            raise ComponentError("Trainer: the loss became NaN.")
        return pretended(recipe, dataset)

    given = {"algorithm": "hyperband", "trials": 9, "epochs": 3}
    given["space"] = {"trainer.batch_size": [8, 16]}
    for count in (1, 2, 3):
        ledger = search_with(fails_with_two, **given).ledger
        by_epochs = [one.epochs for one in ledger if one.status == "failed"]
        assert len(tried) == count * len(by_epochs)


def test_trials_are_counted_as_they_are_asked_for(search_with, monkeypatch):
    said = []

    def standing_at(place):
        said.append(place)
        return nullcontext()

    def offline(recipe, dataset):
        raise OSError("no network")

    monkeypatch.setattr("trainer.search.tuner.standing_at", standing_at)
    given = {"trials": 2, "space": {"trainer.batch_size": [8, 16]}}
    with pytest.raises(ComponentError):
        search_with(offline, **given)
    search_with(pretended, **given)
    assert [one[:12] for one in said] == ["trial 1 of 2", "trial 2 of 2"] * 2


def test_a_trial_that_kills_the_process_twice_is_left_out(search_with):
    given = {"trials": 2, "space": {"trainer.batch_size": [8, 4096]}}

    def killed_by_large_batches(recipe, dataset):
        if recipe.trainer.batch_size == 4096:
            raise Killed
        return pretended(recipe, dataset)

    for _ in range(2):
        with pytest.raises(Killed):
            search_with(killed_by_large_batches, **given)
    tuner = search_with(killed_by_large_batches, **given)
    statuses = {one.values["trainer.batch_size"]: one.status for one in tuner.ledger}
    assert statuses == {8: "completed", 4096: "failed"}
    (why,) = (one.why for one in tuner.ledger if one.why)
    assert why.startswith("the process was killed in it 2 times")
    search_with(killed_by_large_batches, **given)  # and stays so


def test_an_interrupted_trial_counts_as_not_begun(search_with):
    def interrupted(recipe, dataset):
        raise KeyboardInterrupt

    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            search_with(interrupted, trials=1, space={"trainer.batch_size": [8, 16]})
    tuner = search_with(pretended, trials=1, space={"trainer.batch_size": [8, 16]})
    assert [record.status for record in tuner.ledger] == ["completed"]
