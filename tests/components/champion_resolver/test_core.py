"""The baseline is the champion that the run began with, or the run says so."""

import shutil
from pathlib import Path

import pytest

from components.champion_resolver.core import fetch_champion
from components.model_pusher.core import push
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError
from registry.model_versions import ModelRegistry
from registry.serving_folder import ServingFolder


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> ModelRegistry:
    """Return a registry whose champion is a file that says "one"."""
    folder = tmp_path_factory.mktemp("registry")
    serving = ServingFolder(folder / "serving")
    registry = ModelRegistry(store_in(folder), serving)
    model = folder / "model"
    model.mkdir()
    (model / "saved_model.pb").write_text("one")
    push(model, serving, registry, {}, None)
    return registry


def store_in(folder: Path, name: str = "clothes") -> TrackingStore:
    return TrackingStore(uri=f"sqlite:///{folder / 'mlflow.db'}", name=name)


@pytest.fixture
def serving(registry) -> ServingFolder:
    return ServingFolder(Path(registry.champion().path).parent)


@pytest.fixture
def champion(registry):
    return registry.champion()


def test_the_champion_is_copied(registry, serving, champion, tmp_path):
    fetched = fetch_champion(registry, serving, champion.identity, tmp_path / "baseline")
    assert fetched.version == 1
    assert (tmp_path / "baseline" / "saved_model.pb").read_text() == "one"


def test_without_a_champion_there_is_no_baseline(registry, tmp_path):
    folder = Path(registry.champion().path).parents[1]
    other = ModelRegistry(store_in(folder, "shoes"), ServingFolder(tmp_path))
    assert fetch_champion(other, ServingFolder(tmp_path), "", tmp_path / "baseline") is None
    assert not (tmp_path / "baseline").exists()


@pytest.mark.parametrize("expected", ["", "version 1 (0123456789abcdef)"])
def test_another_champion_than_the_one_the_run_began_with_stops_it(
    registry, serving, tmp_path, expected
):
    with pytest.raises(ComponentError, match="changed while the pipeline ran"):
        fetch_champion(registry, serving, expected, tmp_path / "baseline")
    assert not (tmp_path / "baseline").exists()


def test_a_champion_whose_folder_is_gone_is_named(registry, serving, champion, tmp_path):
    hidden = Path(champion.path).with_name("hidden")
    shutil.move(champion.path, hidden)
    try:
        with pytest.raises(ComponentError, match=r"version 1: expected its SavedModel in .*/1"):
            fetch_champion(registry, serving, champion.identity, tmp_path / "baseline")
    finally:
        shutil.move(hidden, champion.path)


def test_a_store_that_is_none_is_a_sentence(tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(ComponentError, match="expected an MLflow store that answers at sqlite"):
        ModelRegistry(store_in(tmp_path), ServingFolder(tmp_path)).champion()
