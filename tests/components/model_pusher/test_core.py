"""Pushing: versions grow, appear whole, and the same model is pushed once."""

import shutil
import threading
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from components.model_pusher import core
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError
from registry.model_versions import (
    CHALLENGER,
    CHAMPION,
    DATA_FINGERPRINT,
    SERVING_FOLDER,
    ModelRegistry,
)
from registry.serving_folder import INCOMING_PREFIX, LOCK_FILE, ServingFolder


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory) -> Path:
    """Return an MLflow database with its tables made, which takes seconds."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    ModelRegistry(
        TrackingStore(uri=f"sqlite:///{path}", name="any"), ServingFolder(path.parent)
    ).versions()
    return path


@pytest.fixture
def registry(tmp_path, empty_database) -> ModelRegistry:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return ModelRegistry(store_of(tmp_path), ServingFolder(tmp_path / "serving" / "clothes"))


def store_of(folder: Path) -> TrackingStore:
    return TrackingStore(uri=f"sqlite:///{folder / 'mlflow.db'}", name="clothes")


@pytest.fixture
def destination(tmp_path) -> Path:
    return tmp_path / "serving" / "clothes"


def model(tmp_path: Path, content: str) -> Path:
    folder = tmp_path / f"model-{content}"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(content)
    (folder / "variables" / "variables.index").write_text(content)
    return folder


def push(folder: Path, destination: Path, registry: ModelRegistry) -> core.PushedVersion:
    return core.push(folder, ServingFolder(destination), registry, {DATA_FINGERPRINT: "f"}, None)


def versions_in(destination: Path) -> list[str]:
    return sorted(path.name for path in destination.iterdir() if not path.name.startswith("."))


def test_the_first_is_champion_and_later_ones_challenge(tmp_path, destination, registry):
    first = push(model(tmp_path, "one"), destination, registry)
    second = push(model(tmp_path, "two"), destination, registry)
    third = push(model(tmp_path, "three"), destination, registry)
    assert [first.version, second.version, third.version] == [1, 2, 3]
    aliases = [version.aliases for version in registry.versions()]
    assert aliases == [(CHAMPION,), (), (CHALLENGER,)]
    assert third.path == destination / "standby" / "3"
    assert (third.path / "variables" / "variables.index").read_text() == "three"


def test_a_server_finds_the_champion_alone(tmp_path, destination, registry):
    for content in ("one", "two", "three"):
        push(model(tmp_path, content), destination, registry)
    assert versions_in(destination) == ["1", "standby"]
    assert versions_in(destination / "standby") == ["2", "3"]


def test_challengers_that_an_earlier_version_put_beside_the_champion_stand_by(
    tmp_path, destination, registry
):
    for content in ("one", "two"):
        push(model(tmp_path, content), destination, registry)
    (destination / "standby" / "2").rename(destination / "2")
    assert registry.versions()[1].path == str(destination / "2")
    push(model(tmp_path, "three"), destination, registry)
    assert versions_in(destination) == ["1", "standby"]
    assert registry.versions()[1].path == str(destination / "standby" / "2")


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
    assert again == first
    assert versions_in(destination) == ["1"]
    assert len(registry.versions()) == 1


@pytest.mark.parametrize("damage", ["gone", "half gone", "changed"])
def test_the_folder_of_a_known_version_comes_back(tmp_path, destination, registry, damage):
    folder = model(tmp_path, "one")
    first = push(folder, destination, registry)
    if damage == "gone":
        shutil.rmtree(first.path)
    elif damage == "half gone":
        (first.path / "saved_model.pb").unlink()
    else:
        (first.path / "variables" / "variables.index").write_text("another")
    with pytest.raises(ComponentError, match=r"version 1: expected its SavedModel in .*, found"):
        registry.champion().require_folder()
    assert push(folder, destination, registry) == first
    assert registry.champion().require_folder() == first.path
    assert len(registry.versions()) == 1


def test_a_moved_serving_folder_is_found_where_it_is(tmp_path, destination, registry):
    for content in ("one", "two"):
        push(model(tmp_path, content), destination, registry)
    moved = ServingFolder(tmp_path / "elsewhere")
    shutil.copytree(destination, moved.root)
    here = ModelRegistry(store_of(tmp_path), moved)
    paths = [moved.root / "1", moved.root / "standby" / "2"]
    assert [version.require_folder() for version in here.versions()] == paths
    shutil.rmtree(destination)
    assert [version.require_folder() for version in here.versions()] == paths


def test_a_version_with_the_number_of_another_is_not_taken_for_it(tmp_path, destination, registry):
    theirs = push(model(tmp_path, "one"), destination, registry)
    ours = ServingFolder(tmp_path / "ours")
    shutil.copytree(model(tmp_path, "two"), ours.root / "1")
    here = ModelRegistry(store_of(tmp_path), ours)
    assert here.champion().require_folder() == theirs.path
    shutil.rmtree(destination)
    core.push(tmp_path / "model-one", ours, here, {}, None)
    assert here.champion().require_folder() == ours.root / "1"
    (kept,) = ours.root.glob(".replaced-1-*")
    assert (kept / "saved_model.pb").read_text() == "two"


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
    assert versions_in(destination) == ["1", "standby"]
    assert versions_in(destination / "standby") == ["2", "3", "4"]


def test_a_copy_that_breaks_off_leaves_nothing(tmp_path, destination, registry, monkeypatch):
    def breaks_off(source, target):
        Path(target).mkdir()
        Path(target, "half").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", breaks_off)
    with pytest.raises(OSError, match="No space left"):
        push(model(tmp_path, "one"), destination, registry)
    assert [path.name for path in destination.iterdir()] == [LOCK_FILE]
    assert registry.versions() == []


def test_a_rename_that_fails_leaves_no_version_and_burns_the_number(
    tmp_path, destination, registry, monkeypatch
):
    folder = model(tmp_path, "one")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(5, "I/O")))
        with pytest.raises(OSError, match="I/O"):
            push(folder, destination, registry)
    assert registry.versions() == []
    assert versions_in(destination) == []
    pushed = push(folder, destination, registry)
    assert registry.champion().version == pushed.version == 2
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
    assert [path.name for path in destination.iterdir()] == [LOCK_FILE]
    assert registry.versions() == []
    assert push(folder, destination, registry).version == registry.champion().version


def test_what_a_killed_push_left_behind_is_swept_away(tmp_path, destination, registry):
    left_behind = destination / f"{INCOMING_PREFIX}0123"
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
