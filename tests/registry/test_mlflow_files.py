"""Files of MLflow runs that lie beside a SQLite file are found beside it, wherever it is moved."""

import shutil
from collections import OrderedDict
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from mlflow.tracking._tracking_service import utils

from contracts.config.mlflow_uri import sqlite_uri
from contracts.config.tracking import TrackingStore
from registry.mlflow_store import experiment_id, open_client


@pytest.fixture(autouse=True)
def another_process(monkeypatch):
    """Let MLflow forget where the files of a run lie, as every process of ours begins."""
    monkeypatch.setattr(utils, "_artifact_repos_cache", NothingCached())


class NothingCached(OrderedDict):
    """A cache of MLflow's that remembers nothing."""

    def __setitem__(self, *_):
        """Take it, and forget it."""


@pytest.fixture
def store(tmp_path) -> TrackingStore:
    folder = tmp_path / 'one "ö" 100%'
    folder.mkdir()
    return TrackingStore.at(sqlite_uri(folder / "mlflow.db"), "toys")


@pytest.fixture
def run_id(store) -> str:
    """Return a run with a file, which a registered version comes from."""
    client = open_client(store.uri)
    run = client.create_run(experiment_id(client, store))
    client.log_text(run.info.run_id, "first", "note.txt")
    client.create_registered_model("toys")
    client.create_model_version("toys", f"{run.info.artifact_uri}/model", run.info.run_id)
    return str(run.info.run_id)


def folder_of(store: TrackingStore) -> Path:
    return Path(store.uri.removeprefix("sqlite:///").replace("%25", "%")).parent


def notes_in(folder: Path) -> dict[str, str]:
    files = (folder / "mlflow-artifacts").rglob("*.txt")
    return {path.name: path.read_text() for path in files}


def source_of(client: MlflowClient) -> str:
    return str(client.get_model_version("toys", "1").source)


def test_a_moved_store_goes_on(store, run_id, tmp_path):
    now = tmp_path / "two"
    folder_of(store).rename(now)
    client = open_client(sqlite_uri(now / "mlflow.db"))
    assert client.list_artifacts(run_id)[0].path == "note.txt"
    client.log_text(run_id, "second", "more.txt")
    moved = TrackingStore.at(sqlite_uri(now / "mlflow.db"), "toys")
    run = client.create_run(experiment_id(client, moved))
    client.log_text(run.info.run_id, "third", "another.txt")
    assert notes_in(now) == {"note.txt": "first", "more.txt": "second", "another.txt": "third"}
    assert source_of(client).startswith((now / "mlflow-artifacts").as_uri())
    assert not folder_of(store).exists()


def test_a_copy_leaves_the_original_alone(store, run_id, tmp_path):
    copied = tmp_path / "copy"
    shutil.copytree(folder_of(store), copied)
    open_client(sqlite_uri(copied / "mlflow.db")).log_text(run_id, "second", "more.txt")
    assert notes_in(copied) == {"note.txt": "first", "more.txt": "second"}
    assert notes_in(folder_of(store)) == {"note.txt": "first"}
    original = open_client(store.uri)
    assert [one.path for one in original.list_artifacts(run_id)] == ["note.txt"]
    assert source_of(original).startswith((folder_of(store) / "mlflow-artifacts").as_uri())


@pytest.mark.parametrize("place", ["elsewhere", "large disk/mlflow-artifacts", "s3://bucket"])
def test_files_that_were_put_elsewhere_stay_there(store, run_id, tmp_path, place):
    (tmp_path / "large disk" / "mlflow-artifacts").mkdir(parents=True)
    elsewhere = f"{place}/mlflow-artifacts" if "://" in place else (tmp_path / place).as_uri()
    client = open_client(store.uri)
    client.create_experiment("others", artifact_location=elsewhere)
    folder_of(store).rename(tmp_path / "two")
    moved = open_client(sqlite_uri(tmp_path / "two" / "mlflow.db"))
    assert moved.get_experiment_by_name("others").artifact_location == elsewhere


def test_a_link_to_the_store_is_not_another_place(store, run_id, tmp_path):
    (tmp_path / "link").symlink_to(folder_of(store))
    client = open_client(sqlite_uri(tmp_path / "link" / "mlflow.db"))
    beside = (folder_of(store) / "mlflow-artifacts").as_uri()
    assert client.get_run(run_id).info.artifact_uri.startswith(beside)


def test_a_file_without_tables_gets_them(tmp_path):
    (tmp_path / "mlflow.db").touch()
    client = open_client(sqlite_uri(tmp_path / "mlflow.db"))
    assert [one.name for one in client.search_experiments()] == ["Default"]
