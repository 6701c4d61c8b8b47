"""Pushing: versions grow, appear whole, and the same model is pushed once."""

import shutil
import threading
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from components.model_pusher import core
from components.model_registry import (
    CHALLENGER,
    CHAMPION,
    DATA_FINGERPRINT,
    SERVING_FOLDER,
    ModelRegistry,
)
from contracts.errors import ComponentError
from contracts.tracking import TrackingStore


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory) -> Path:
    """Return an MLflow database with its tables made, which takes seconds."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    ModelRegistry(TrackingStore(uri=f"sqlite:///{path}", name="any")).versions()
    return path


@pytest.fixture
def registry(tmp_path, empty_database) -> ModelRegistry:
    database = tmp_path / "mlflow.db"
    shutil.copy(empty_database, database)
    return ModelRegistry(TrackingStore(uri=f"sqlite:///{database}", name="clothes"))


@pytest.fixture
def destination(tmp_path) -> Path:
    return tmp_path / "serving" / "clothes"


def model(tmp_path: Path, content: str) -> Path:
    folder = tmp_path / f"model-{content}"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(content)
    (folder / "variables" / "variables.index").write_text(content)
    return folder


def push(folder: Path, destination: Path, registry: ModelRegistry) -> core.Pushed:
    return core.push(folder, destination, registry, {DATA_FINGERPRINT: "f"}, None)


def versions_in(destination: Path) -> list[str]:
    return sorted(path.name for path in destination.iterdir() if not path.name.startswith("."))


def test_the_first_is_champion_and_later_ones_challenge(tmp_path, destination, registry):
    first = push(model(tmp_path, "one"), destination, registry)
    second = push(model(tmp_path, "two"), destination, registry)
    third = push(model(tmp_path, "three"), destination, registry)
    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert [first.alias, second.alias, third.alias] == [CHAMPION, CHALLENGER, CHALLENGER]
    assert registry.champion().version == 1
    assert registry.versions()[-1].aliases == (CHALLENGER,)
    assert versions_in(destination) == ["1", "2", "3"]
    assert (destination / "3" / "variables" / "variables.index").read_text() == "three"


def test_lineage_is_registered(tmp_path, destination, registry):
    pushed = push(model(tmp_path, "one"), destination, registry)
    (version,) = registry.versions()
    assert version.path == str(pushed.path)
    assert version.tags[DATA_FINGERPRINT] == "f"


def test_a_version_from_before_its_folder_was_a_tag_is_found(tmp_path, destination, registry):
    pushed = push(model(tmp_path, "one"), destination, registry)
    registry._client.delete_model_version_tag("clothes", str(pushed.version), SERVING_FOLDER)
    assert registry.champion().path == str(pushed.path)


def test_the_same_model_is_pushed_once(tmp_path, destination, registry):
    folder = model(tmp_path, "one")
    first = push(folder, destination, registry)
    again = push(folder, destination, registry)
    assert (again.version, again.path, again.alias) == (first.version, first.path, None)
    assert versions_in(destination) == ["1"]


def test_a_model_whose_folder_is_gone_is_pushed_anew(tmp_path, destination, registry):
    folder = model(tmp_path, "one")
    shutil.rmtree(push(folder, destination, registry).path)
    assert push(folder, destination, registry).version == 2
    assert versions_in(destination) == ["2"]


def test_pushes_at_the_same_time_get_versions_of_their_own(tmp_path, destination, registry):
    folders = [model(tmp_path, str(number)) for number in range(4)]
    pushed: list[int] = []
    threads = [
        threading.Thread(
            target=lambda folder: pushed.append(push(folder, destination, registry).version),
            args=(folder,),
        )
        for folder in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pushed) == [1, 2, 3, 4]
    assert versions_in(destination) == ["1", "2", "3", "4"]


def test_a_copy_that_breaks_off_leaves_nothing(tmp_path, destination, registry, monkeypatch):
    def breaks_off(source, target):
        Path(target).mkdir()
        Path(target, "half").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(core.shutil, "copytree", breaks_off)
    with pytest.raises(OSError, match="No space left"):
        push(model(tmp_path, "one"), destination, registry)
    assert [path.name for path in destination.iterdir()] == [core.LOCK_FILE]
    assert registry.versions() == []


def test_a_rename_that_fails_leaves_no_version_and_burns_the_number(
    tmp_path, destination, registry, monkeypatch
):
    folder = model(tmp_path, "one")
    with monkeypatch.context() as patched:
        patched.setattr(core.Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(5, "I/O")))
        with pytest.raises(OSError, match="I/O"):
            push(folder, destination, registry)
    assert registry.versions() == []
    assert versions_in(destination) == []
    pushed = push(folder, destination, registry)
    assert pushed.alias == CHAMPION
    assert versions_in(destination) == [str(pushed.version)]


def test_a_registry_that_breaks_off_leaves_no_version_behind(
    tmp_path, destination, registry, monkeypatch
):
    folder = model(tmp_path, "one")

    def breaks_off(*_):
        raise MlflowException("the server went away")

    with monkeypatch.context() as patched:
        patched.setattr(registry._client, "set_registered_model_alias", breaks_off)
        with pytest.raises(ComponentError, match="the server went away"):
            push(folder, destination, registry)
    assert [path.name for path in destination.iterdir()] == [core.LOCK_FILE]
    assert registry.versions() == []
    assert push(folder, destination, registry).alias == CHAMPION


def test_what_a_killed_push_left_behind_is_swept_away(tmp_path, destination, registry):
    left_behind = destination / f"{core.INCOMING_PREFIX}0123"
    left_behind.mkdir(parents=True)
    (left_behind / "half").write_text("half")
    push(model(tmp_path, "one"), destination, registry)
    assert not left_behind.exists()


def test_a_folder_that_is_no_saved_model_is_refused(tmp_path, destination, registry):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ComponentError, match=r"found no saved_model\.pb"):
        push(tmp_path / "empty", destination, registry)


def test_a_serving_folder_ahead_of_the_registry_is_never_overwritten(
    tmp_path, destination, registry
):
    stranger = destination / "5"
    stranger.mkdir(parents=True)
    (stranger / "saved_model.pb").write_text("someone else's")
    with pytest.raises(ComponentError, match="already holds version 5"):
        push(model(tmp_path, "one"), destination, registry)
    assert (stranger / "saved_model.pb").read_text() == "someone else's"
    assert registry.versions() == []
