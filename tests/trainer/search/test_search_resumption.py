"""A search that was killed, or whose trials failed, goes on where it stopped."""

from contextlib import nullcontext

import pytest
from mlflow.tracking import MlflowClient

from contracts.system.errors import ComponentError
from tests.trainer.search.conftest import RATES, pretended


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

    def progress_detail(place):
        said.append(place)
        return nullcontext()

    def offline(recipe, dataset):
        raise OSError("no network")

    monkeypatch.setattr("trainer.search.tuner.progress_detail", progress_detail)
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
