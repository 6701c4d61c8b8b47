"""A promotion changes the registry and the serving folder together."""

from pathlib import Path

import pytest

from components.model_pusher.core import push
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError, InputError
from pipeline.promotion import promote
from registry.model_versions import CHALLENGER, CHAMPION, ModelRegistry
from registry.serving_folder import ServingFolder


@pytest.fixture
def serving(tmp_path) -> ServingFolder:
    return ServingFolder(tmp_path / "serving")


@pytest.fixture
def registry(tmp_path, serving) -> ModelRegistry:
    """Return a registry of a champion and two challengers."""
    store = TrackingStore(uri=f"sqlite:///{tmp_path / 'mlflow.db'}", name="clothes")
    registry = ModelRegistry(store, serving)
    for content in ("one", "two", "three"):
        model = tmp_path / content
        model.mkdir()
        (model / "saved_model.pb").write_text(content)
        push(model, serving, registry, {}, None)
    return registry


def served(serving: ServingFolder) -> list[str]:
    """Return what TensorFlow Serving finds: the content of every numbered folder."""
    numbered = (path for path in serving.root.iterdir() if path.name.isdecimal())
    return [(path / "saved_model.pb").read_text() for path in numbered]


def test_what_serves_is_the_champion(registry, serving):
    assert served(serving) == ["one"]
    before = promote(3, registry, serving)
    assert (before.version, registry.champion().version) == (1, 3)
    assert served(serving) == ["three"]
    assert [version.aliases for version in registry.versions()] == [(), (), (CHAMPION,)]


def test_an_older_version_serves_again(registry, serving):
    promote(3, registry, serving)
    assert promote(1, registry, serving).version == 3
    assert served(serving) == ["one"]
    assert registry.champion().version == 1


def test_a_challenger_that_is_not_promoted_stays_one(registry, serving):
    promote(2, registry, serving)
    assert [version.aliases for version in registry.versions()] == [
        (),
        (CHAMPION,),
        (CHALLENGER,),
    ]


def test_the_champion_may_be_promoted_again(registry, serving):
    assert promote(1, registry, serving).version == 1
    assert served(serving) == ["one"]


def test_an_unknown_version_is_refused_with_those_there_are(registry, serving):
    with pytest.raises(
        InputError, match=r"expected a version of 'clothes' \(3, 2, 1\), received 4"
    ):
        promote(4, registry, serving)
    assert served(serving) == ["one"]


def test_a_version_whose_model_was_changed_is_not_promoted(registry, serving):
    Path(registry.versions()[2].path, "saved_model.pb").write_text("another")
    with pytest.raises(
        ComponentError, match=r"version 3: .* other files than those that were pushed"
    ):
        promote(3, registry, serving)
    assert (served(serving), registry.champion().version) == (["one"], 1)


def test_a_version_of_another_workspace_is_promoted_there(registry, serving, tmp_path):
    with pytest.raises(InputError, match="Promote it in the workspace that pushed it"):
        promote(2, registry, ServingFolder(tmp_path / "another"))
    assert registry.champion().version == 1


def test_a_promotion_that_was_killed_is_finished_by_the_next(registry, serving, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ServingFolder, "serve", killed)
        with pytest.raises(KeyboardInterrupt):
            promote(2, registry, serving)
    assert registry.champion().require_folder() == serving.root / "standby" / "2"
    promote(2, registry, serving)
    assert served(serving) == ["two"]
