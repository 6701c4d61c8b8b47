"""A pushed model can be seen, loaded and served by MLflow itself."""

from pathlib import Path

import mlflow
import numpy as np
import pytest
import tensorflow as tf
from mlflow.tracking import MlflowClient

from components.model_pusher import core
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError
from registry.mlflow_store import open_client
from registry.model_versions import CHAMPION, SOURCE_SCHEME, ModelRegistry
from registry.serving_folder import LOCK_FILE, ServingFolder
from registry.training_run import TrainingRun


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> TrackingStore:
    folder = tmp_path_factory.mktemp("mlflow")
    return TrackingStore(uri=f"sqlite:///{folder / 'mlflow.db'}", name="clothes")


@pytest.fixture(scope="module")
def client(store) -> MlflowClient:
    return open_client(store.uri)


@pytest.fixture
def run_id(client, tmp_path) -> str:
    experiment = client.create_experiment(tmp_path.name, artifact_location=str(tmp_path / "kept"))
    return client.create_run(experiment).info.run_id


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Return a SavedModel that says of bytes how many they are."""
    module = tf.Module()
    module.serve = tf.function(
        lambda image_bytes: {"length": tf.strings.length(image_bytes)},
        input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")],
    )
    folder = tmp_path_factory.mktemp("model")
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return folder


@pytest.fixture
def served(tmp_path) -> ServingFolder:
    return ServingFolder(tmp_path / "serving" / "clothes")


def test_mlflow_shows_and_loads_what_was_pushed(store, client, run_id, model, served, monkeypatch):
    registry = ModelRegistry(store, served)
    pushed = core.push(model, served, registry, {}, TrainingRun.find(store, run_id))
    (version,) = registry.versions()
    assert (version.path, version.aliases) == (str(served.root / "1"), (CHAMPION,))
    assert client.get_model_version("clothes", str(pushed.version)).run_id == run_id

    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    champion = f"models:/clothes@{CHAMPION}"
    signature = mlflow.models.get_model_info(champion).signature
    assert signature.inputs.input_names() == ["image_bytes"]
    assert signature.outputs.input_names() == ["length"]
    loaded = mlflow.pyfunc.load_model(champion)
    assert loaded.predict({"image_bytes": np.array([b"one", b"three"])}) == {"length": [3, 5]}


@pytest.mark.parametrize("gone", ["no run", "deleted", "of another store"])
def test_a_model_without_a_run_is_pushed_all_the_same(store, client, run_id, model, served, gone):
    if gone == "deleted":
        client.delete_run(run_id)
    known = {"no run": None, "deleted": run_id, "of another store": "0" * 32}[gone]
    run = TrainingRun.find(store, known)
    assert run is None
    named = store.model_copy(update={"name": f"without a run, {gone}"})
    pushed = core.push(model, served, ModelRegistry(named, served), {}, run)
    assert (pushed.path / "saved_model.pb").is_file()
    version = client.get_model_version(named.name, str(pushed.version))
    assert version.source == f"{SOURCE_SCHEME}{served.root}"
    assert ModelRegistry(named, served).champion().path == str(pushed.path)


def test_a_model_that_does_not_get_whole_into_its_run_is_neither_seen_nor_pushed(
    store, client, run_id, model, served, monkeypatch
):
    def breaks_off(*_):
        raise OSError(28, "No space left on device")

    named = store.model_copy(update={"name": "broken off"})
    run = TrainingRun.find(store, run_id)
    monkeypatch.setattr(run._client, "log_artifacts", breaks_off)
    with pytest.raises(ComponentError, match="No space left on device"):
        core.push(model, served, ModelRegistry(named, served), {}, run)
    assert client.list_artifacts(run_id, "model") == []
    assert ModelRegistry(named, served).versions() == []
    assert [path.name for path in served.root.iterdir()] == [LOCK_FILE]
