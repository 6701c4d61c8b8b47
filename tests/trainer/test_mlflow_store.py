"""A store that was begun and not finished is no store."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from trainer import mlflow_store
from trainer.mlflow_store import open_client


def test_a_process_that_is_killed_while_it_makes_the_tables_leaves_none(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    code = f"from trainer.mlflow_store import open_client; open_client('sqlite:///{database}')"
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


def test_tables_that_cannot_be_made_leave_no_store(tmp_path: Path, monkeypatch) -> None:
    def fails(_: str) -> None:
        raise MlflowException("the disk is full")

    monkeypatch.setattr(mlflow_store, "_client", fails)
    with pytest.raises(MlflowException):
        open_client(f"sqlite:///{tmp_path}/mlflow.db")
    assert list(tmp_path.iterdir()) == []
