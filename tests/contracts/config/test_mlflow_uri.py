"""Addresses of MLflow's stores that it cannot use are told before anything runs."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from contracts.config.mlflow_uri import sqlite_file, sqlite_uri, uri_trouble
from contracts.config.tracking import TrackingStore
from tests.contracts.conftest import GOOD, load

STRANGE = "/a b/it's/100%20/#1/me@home:x/;&$HOME/{y}[z]/字/mlflow.db"


def test_a_file_of_any_name_has_an_address_that_sqlalchemy_reads_as_that_file():
    uri = sqlite_uri(Path(STRANGE))
    assert make_url(uri).database == STRANGE
    assert sqlite_file(uri) == Path(STRANGE)
    assert sqlite_file("http://mlflow:5000") is None


@pytest.mark.parametrize(
    "uri",
    [
        "http://mlflow:5000",
        "https://host/path",
        "http://[::1]:5000",
        "postgresql://me@host/runs",
        "mysql+pymysql://host:3306/runs",
        "databricks",
        "databricks://profile",
        "sqlite:///mlflow.db",
        f"sqlite:///{STRANGE}",
    ],
)
def test_addresses_that_mlflow_takes(uri):
    assert uri_trouble(uri) == ""


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("mlruns", "received 'mlruns'. null: a SQLite file in the workspace."),
        ("file:///runs", "received 'file:///runs'. null: a SQLite file"),
        ("htp://mlflow:5000", "received 'htp://mlflow:5000'. null"),
        ("sqlite://x.db", "received 'sqlite://x.db'. null"),
        ("sqlite:///", "which names no file."),
        ("sqlite:///:memory:", "which names no file."),
        ("sqlite:///a?b.db", "expected a SQLite file without ? in its path"),
        ("http:/mlflow", "which has no host, or a wrong port."),
        ("http://", "which has no host, or a wrong port."),
        ("http://mlflow:port", "which has no host, or a wrong port."),
        ("", "received ''. null"),
    ],
)
def test_addresses_that_it_does_not_take(problems, uri, said):
    assert said in uri_trouble(uri)
    (sentence,) = problems(f"{GOOD}tracking: {{mlflow: {{uri: '{uri}'}}}}\n")
    assert sentence.startswith("pipeline.yaml:4: tracking.mlflow.uri: expected ")


def test_a_sqlite_file_is_relative_to_the_config(write, tmp_path, monkeypatch):
    config = write(f"{GOOD}tracking: {{mlflow: {{uri: 'sqlite:///runs.db'}}}}\n").absolute()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(config).tracking.mlflow.uri == f"sqlite:///{tmp_path}/runs.db"
    absolute = f"sqlite:///{tmp_path}/a.db"
    assert load(config, f"tracking.mlflow.uri={absolute}").tracking.mlflow.uri == absolute


def test_a_folder_of_a_sqlite_file_that_is_missing(problems, tmp_path):
    (sentence,) = problems(f"{GOOD}tracking: {{mlflow: {{uri: 'sqlite:///gone/runs.db'}}}}\n")
    assert f"there is no folder {tmp_path}/gone. Make it, or name another." in sentence


def test_files_of_runs_lie_beside_the_sqlite_file_and_on_a_server_where_it_says():
    store = TrackingStore.at(sqlite_uri(Path(STRANGE)), "toys")
    assert store.artifact_location == Path(STRANGE).with_name("mlflow-artifacts").as_uri()
    assert TrackingStore.at("http://mlflow:5000", "toys").artifact_location is None
