"""A search is logged in MLflow to its end, and says what it cannot write."""

import errno

import pytest
from keras_tuner.errors import FatalError
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from tests.trainer.search.conftest import pretended
from trainer.search.nested_runs import NestedRuns


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


def test_a_search_whose_run_was_deleted_is_logged_in_a_new_one(search_with, store):
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
