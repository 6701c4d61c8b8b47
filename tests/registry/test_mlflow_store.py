"""A store that was begun and not finished is no store."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from contracts.config.mlflow_uri import sqlite_uri
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError
from registry import mlflow_store
from registry.mlflow_store import active_run, experiment_id, open_client, translated_errors


def test_a_process_that_is_killed_while_it_makes_the_tables_leaves_none(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    code = f"from registry.mlflow_store import open_client; open_client('sqlite:///{database}')"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    begun = tmp_path / ".mlflow.db.partial"
    while not begun.exists() and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not database.exists()
    client = open_client(f"sqlite:///{database}")
    assert client.get_experiment(client.create_experiment("digits")).name == "digits"
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_the_current_folder_stays_empty(tmp_path: Path, monkeypatch) -> None:
    folder, here = tmp_path / "100% #1 [a]", tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    store = TrackingStore.at(sqlite_uri(folder / "runs.db"), "digits")
    client = open_client(store.uri)
    run = client.create_run(experiment_id(client, store))
    client.log_text(run.info.run_id, "kept", "note.txt")
    client.create_registered_model("digits")
    client.create_model_version("digits", f"{run.info.artifact_uri}/model", run.info.run_id)
    assert list(here.iterdir()) == []
    (note,) = (folder / "mlflow-artifacts").rglob("note.txt")
    assert note.read_text() == "kept"
    assert sorted(path.name for path in folder.iterdir()) == ["mlflow-artifacts", "runs.db"]


def test_tables_that_cannot_be_made_leave_no_store(tmp_path: Path, monkeypatch) -> None:
    def fails(_: str) -> None:
        raise MlflowException("the disk is full")

    monkeypatch.setattr(mlflow_store, "_client", fails)
    with pytest.raises(MlflowException):
        open_client(f"sqlite:///{tmp_path}/mlflow.db")
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_is_made_once(new_store: TrackingStore) -> None:
    client = open_client(new_store.uri)
    made = experiment_id(client, new_store)
    assert experiment_id(client, new_store) == made
    assert client.get_experiment(made).name == new_store.name


def test_only_a_run_that_is_there_is_active(new_store: TrackingStore) -> None:
    client = open_client(new_store.uri)
    run_id = client.create_run(experiment_id(client, new_store)).info.run_id
    run = active_run(client, run_id)
    assert run is not None and run.info.run_id == run_id
    assert active_run(client, "0" * 32) is None
    client.delete_run(run_id)
    assert active_run(client, run_id) is None


def test_what_a_store_raises_is_a_sentence_and_nothing_else_is(tmp_path: Path) -> None:
    with pytest.raises(ComponentError) as raised, translated_errors("http://mlflow:5000"):
        raise MlflowException("no answer\nafter 3 tries")
    assert raised.value.problems == (
        "tracking.mlflow.uri: expected an MLflow store that answers at http://mlflow:5000, "
        "received: no answer",
    )
    with pytest.raises(ComponentError, match="no space"), translated_errors("x", OSError):
        raise OSError("no space")
    with pytest.raises(OSError, match="no space"), translated_errors("x"):
        raise OSError("no space")
