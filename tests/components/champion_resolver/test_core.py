"""The baseline is the champion that the run began with, or the run says so."""

import shutil
from pathlib import Path

import pytest

from components.champion_resolver.core import fetch_champion
from components.model_pusher.core import push
from components.model_registry import ModelRegistry
from contracts.errors import ComponentError
from contracts.tracking import TrackingStore


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> TrackingStore:
    """Return a registry whose champion is a file that says "one"."""
    folder = tmp_path_factory.mktemp("registry")
    store = TrackingStore(uri=f"sqlite:///{folder / 'mlflow.db'}", name="clothes")
    model = folder / "model"
    model.mkdir()
    (model / "saved_model.pb").write_text("one")
    push(model, folder / "serving", ModelRegistry(store), {}, None)
    return store


@pytest.fixture
def champion(store):
    return ModelRegistry(store).champion()


def test_the_champion_is_copied(store, champion, tmp_path):
    fetched = fetch_champion(store, champion.identity, tmp_path / "baseline")
    assert fetched.version == 1
    assert (tmp_path / "baseline" / "saved_model.pb").read_text() == "one"


def test_without_a_champion_there_is_no_baseline(store, tmp_path):
    other = store.model_copy(update={"name": "shoes"})
    assert fetch_champion(other, "", tmp_path / "baseline") is None
    assert not (tmp_path / "baseline").exists()


@pytest.mark.parametrize("expected", ["", "version 1 (0123456789abcdef)"])
def test_another_champion_than_the_one_the_run_began_with_stops_it(store, tmp_path, expected):
    with pytest.raises(ComponentError, match="changed while the pipeline ran"):
        fetch_champion(store, expected, tmp_path / "baseline")
    assert not (tmp_path / "baseline").exists()


def test_a_champion_whose_folder_is_gone_is_named(store, champion, tmp_path):
    hidden = Path(champion.path).with_name("hidden")
    shutil.move(champion.path, hidden)
    try:
        with pytest.raises(ComponentError, match=r"version 1: expected its SavedModel in .*/1"):
            fetch_champion(store, champion.identity, tmp_path / "baseline")
    finally:
        shutil.move(hidden, champion.path)


def test_a_store_that_is_none_is_a_sentence(tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(ComponentError, match="expected an MLflow store that answers at sqlite"):
        ModelRegistry(TrackingStore(uri=f"sqlite:///{tmp_path}/mlflow.db", name="x")).champion()
