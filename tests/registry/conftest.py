"""A registry in a SQLite file, and folders that stand for SavedModels."""

import re
from pathlib import Path

import pytest

from contracts.config.mlflow_uri import sqlite_uri
from contracts.config.tracking import TrackingStore
from registry.mlflow_store import open_client


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> str:
    """Return the address of a SQLite file with MLflow's tables, which takes seconds to make."""
    uri = sqlite_uri(tmp_path_factory.mktemp("registry") / "mlflow.db")
    open_client(uri)
    return uri


@pytest.fixture
def new_store(database, request) -> TrackingStore:
    """Return the store with a model name of the test's own."""
    return TrackingStore.at(database, re.sub(r"\W+", "-", request.node.name))


def write_model(folder: Path, content: str = "graph") -> Path:
    """Write the files of a SavedModel as far as the registry looks at them."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(content)
    (folder / "variables" / "variables.index").write_text("index")
    return folder
