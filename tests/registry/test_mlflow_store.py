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
from registry import mlflow_store
from registry.mlflow_store import experiment_id, open_client


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
