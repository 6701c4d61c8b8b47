"""A model server finds the champion's version in its folder, alone and whole."""

import fcntl
from pathlib import Path

import pytest

from registry.serving_folder import INCOMING_PREFIX, LOCK_FILE, ServingFolder, model_digest
from tests.registry.conftest import write_model


@pytest.fixture
def serving(tmp_path) -> ServingFolder:
    return ServingFolder(tmp_path / "serving")


def seen_by_servers(serving: ServingFolder) -> list[str]:
    """Return what TensorFlow Serving takes for versions: folders named by a number."""
    return sorted(path.name for path in serving.root.iterdir() if path.name.isdecimal())


def put(serving: ServingFolder, version: int, content: str = "graph") -> None:
    """Let a version stand by, as the pusher does."""
    model = write_model(serving.root.parent / content, content)
    with serving.locked(), serving.copied(model) as incoming:
        incoming.rename(serving.standby_path(version))


def test_the_champion_serves_alone(serving):
    for version, content in enumerate(("one", "two", "three"), start=1):
        put(serving, version, content)
    assert seen_by_servers(serving) == []
    serving.serve(2)
    assert seen_by_servers(serving) == ["2"]
    serving.serve(1)
    assert seen_by_servers(serving) == ["1"]
    assert serving.versions() == [1, 2, 3]
    assert Path(serving.find(1), "saved_model.pb").read_text() == "one"
    assert Path(serving.find(3), "saved_model.pb").read_text() == "three"


def test_a_server_always_finds_a_version(serving, monkeypatch):
    put(serving, 1, "one")
    put(serving, 2, "two")
    serving.serve(1)
    rename, moments = Path.rename, []

    def watched(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        moments.append(seen_by_servers(serving))
        return moved

    monkeypatch.setattr(Path, "rename", watched)
    serving.serve(2)
    assert moments == [["1", "2"], ["2"]]


def test_without_a_champion_none_serves(serving):
    put(serving, 1)
    serving.serve(1)
    serving.serve(None)
    assert seen_by_servers(serving) == []
    assert serving.versions() == [1]


def test_a_version_that_is_not_here_is_not_found(serving):
    assert serving.find(1) is None
    assert serving.versions() == []
    (serving.root / "1").mkdir(parents=True)  # without a model in it
    assert serving.find(1) is None


def test_a_copy_that_fails_leaves_nothing(serving, tmp_path):
    model = write_model(tmp_path / "model")
    with pytest.raises(OSError, match="disk is full"), serving.locked(), serving.copied(model):
        raise OSError("the disk is full")
    assert [path.name for path in serving.root.iterdir()] == [LOCK_FILE]


def test_what_a_killed_push_left_is_removed_by_the_next_one(serving):
    write_model(serving.root / f"{INCOMING_PREFIX}of-a-killed-push")
    put(serving, 1)
    assert {path.name for path in serving.root.iterdir()} == {LOCK_FILE, "standby"}


def test_writers_wait_for_each_other(serving):
    with (
        serving.locked(),
        (serving.root / LOCK_FILE).open("a") as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (serving.root / LOCK_FILE).open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free again


@pytest.mark.parametrize("serves", [True, False])
def test_a_damaged_version_is_restored_and_kept_aside(serving, tmp_path, serves):
    put(serving, 1, "whole")
    serving.serve(1 if serves else None)
    Path(serving.find(1), "saved_model.pb").write_text("damaged")
    serving.restore(1, tmp_path / "whole")
    assert Path(serving.find(1), "saved_model.pb").read_text() == "whole"
    (aside,) = serving.root.glob(".replaced-1-*")
    assert (aside / "saved_model.pb").read_text() == "damaged"
    assert seen_by_servers(serving) == []


def test_a_digest_is_of_names_and_contents(tmp_path):
    one, same, other, renamed = (
        write_model(tmp_path / name, content)
        for name, content in (("one", "a"), ("same", "a"), ("other", "b"), ("renamed", "a"))
    )
    (renamed / "saved_model.pb").rename(renamed / "model.pb")
    assert model_digest(one) == model_digest(same)
    assert len({model_digest(one), model_digest(other), model_digest(renamed)}) == 3
