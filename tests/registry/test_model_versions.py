"""Versions appear when they are complete; the first serves, later ones wait to be promoted."""

from pathlib import Path

import pytest

from contracts.config.mlflow_uri import sqlite_uri
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError
from registry.model_versions import (
    CHALLENGER,
    CHAMPION,
    DIGEST,
    SERVING_FOLDER,
    SOURCE_SCHEME,
    ModelRegistry,
    RegisteredVersion,
)
from registry.serving_folder import ServingFolder, model_digest
from tests.registry.conftest import write_model


@pytest.fixture
def serving(tmp_path) -> ServingFolder:
    return ServingFolder(tmp_path / "serving")


@pytest.fixture
def registry(new_store, serving) -> ModelRegistry:
    return ModelRegistry(new_store, serving)


def push(registry: ModelRegistry, serving: ServingFolder, content: str) -> RegisteredVersion:
    """Register a model, whose files stand in the serving folder."""
    number = registry.begin_version(f"{SOURCE_SCHEME}{serving.root}", None)
    model = write_model(serving.root / str(number), content)
    tags = {SERVING_FOLDER: str(serving.root), DIGEST: model_digest(model)}
    registry.finish_version(number, tags)
    return registry.versions()[-1]


def aliases(registry: ModelRegistry) -> dict[int, tuple[str, ...]]:
    return {one.version: one.aliases for one in registry.versions()}


def test_a_model_that_was_never_pushed_has_no_versions(registry):
    assert registry.versions() == []
    assert registry.champion() is None


def test_the_first_version_is_champion_and_the_newest_is_challenger(registry, serving):
    for content in ("one", "two", "three"):
        push(registry, serving, content)
    assert aliases(registry) == {1: (CHAMPION,), 2: (), 3: (CHALLENGER,)}


def test_a_promoted_challenger_is_champion_and_leaves_no_challenger(registry, serving):
    for content in ("one", "two", "three"):
        push(registry, serving, content)
    registry.promote(2)
    assert aliases(registry) == {1: (), 2: (CHAMPION,), 3: (CHALLENGER,)}
    registry.promote(3)
    assert aliases(registry) == {1: (), 2: (), 3: (CHAMPION,)}
    assert registry.champion().version == 3


def test_a_version_that_was_begun_is_not_seen(registry, serving):
    begun = registry.begin_version(f"{SOURCE_SCHEME}{serving.root}", None)
    assert registry.versions() == []
    assert push(registry, serving, "next").version == begun + 1
    assert registry.champion().version == begun + 1


def test_the_number_of_an_abandoned_version_is_not_used_again(registry, serving):
    push(registry, serving, "one")
    registry.abandon_version(registry.begin_version(f"{SOURCE_SCHEME}{serving.root}", None))
    assert push(registry, serving, "three").version == 3
    assert list(aliases(registry)) == [1, 3]


def test_a_version_is_named_by_number_and_content(registry, serving):
    pushed = push(registry, serving, "one")
    assert pushed.identity == f"version 1 ({model_digest(serving.root / '1')[:16]})"
    assert pushed.is_intact
    assert pushed.require_folder() == serving.root / "1"


@pytest.mark.parametrize(
    ("name", "found"),
    [("saved_model.pb", "none"), ("variables/variables.index", "other files than those that were")],
)
def test_a_version_that_is_damaged_is_refused_with_the_next_step(registry, serving, name, found):
    pushed = push(registry, serving, "one")
    (serving.root / "1" / name).unlink()
    assert not pushed.is_intact
    with pytest.raises(ComponentError) as raised:
        pushed.require_folder()
    assert str(raised.value).startswith(
        f"version 1: expected its SavedModel in {serving.root}/1, found {found}"
    )
    assert "`imgpipe models` lists them" in str(raised.value)


def test_the_versions_of_a_moved_workspace_are_found_in_its_new_place(
    new_store, registry, serving, tmp_path
):
    push(registry, serving, "one")
    serving.root.rename(tmp_path / "moved")
    moved = ModelRegistry(new_store, ServingFolder(tmp_path / "moved"))
    assert moved.champion().require_folder() == tmp_path / "moved" / "1"


def test_another_workspace_finds_a_version_where_it_was_pushed(
    new_store, registry, serving, tmp_path
):
    push(registry, serving, "one")
    elsewhere = ModelRegistry(new_store, ServingFolder(tmp_path / "another"))
    assert elsewhere.champion().require_folder() == serving.root / "1"


def test_another_model_of_the_same_number_is_not_taken_for_the_version(
    new_store, registry, serving, tmp_path
):
    push(registry, serving, "one")
    ours = ServingFolder(tmp_path / "ours")
    write_model(ours.root / "1", "of another registry")
    assert ModelRegistry(new_store, ours).champion().path == str(serving.root / "1")


def test_a_store_that_does_not_answer_is_a_sentence(tmp_path, serving):
    (tmp_path / "mlflow.db").write_text("no database")
    uri = sqlite_uri(tmp_path / "mlflow.db")
    with pytest.raises(ComponentError) as raised:
        ModelRegistry(TrackingStore.at(uri, "toys"), serving)
    assert str(raised.value).startswith(
        f"tracking.mlflow.uri: expected an MLflow store that answers at {uri}, received: "
    )
    assert len(str(raised.value).splitlines()) == 1


def test_the_path_of_a_version_that_is_nowhere_is_where_it_should_be(registry, serving):
    pushed = push(registry, serving, "one")
    for path in sorted(Path(pushed.path).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert registry.champion().path == str(serving.root / "1")
