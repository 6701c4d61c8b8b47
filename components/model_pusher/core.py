"""Copies a SavedModel into the serving folder and registers it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.artifacts.signatures import SAVED_MODEL_FILE
from contracts.system.errors import ComponentError
from registry.model_versions import DIGEST, SERVING_FOLDER, SOURCE_SCHEME, ModelRegistry
from registry.serving_folder import ServingFolder, model_digest

if TYPE_CHECKING:
    from registry.training_run import TrainingRun


@dataclass(frozen=True)
class PushedVersion:
    """A registered version and its folder."""

    version: int
    path: Path


def push(
    model: Path,
    serving: ServingFolder,
    registry: ModelRegistry,
    tags: Mapping[str, str],
    run: TrainingRun | None,
) -> PushedVersion:
    """Copy `model` into the serving folder and register it; the same model only once.

    The registry gives the version number, which grows with every push and is never used again.
    The folder of the version appears whole or not at all. A version is served if it is the
    champion, as the first one is. Where the folder of a registered version is missing, it is
    copied again.

    Args:
      model: a SavedModel.
      serving: the folder of the registered model.
      registry: where the version is registered.
      tags: the lineage of the model.
      run: the MLflow run of the training; the model is logged to it, and its version refers to it.

    Raises:
      ComponentError: `model` is no SavedModel, or the registry's next version stands in the
        serving folder already.
    """
    _require_saved_model(model)
    digest = model_digest(model)
    with serving.locked():
        known = next((one for one in registry.versions() if one.tags[DIGEST] == digest), None)
        if known is None:
            lineage = {**tags, SERVING_FOLDER: str(serving.root), DIGEST: digest}
            pushed = _push_new(model, serving, registry, lineage, run)
        else:
            if not known.is_intact:
                serving.restore(known.version, model)
            pushed = PushedVersion(known.version, Path(known.path))
        champion = registry.champion()
        serving.serve(champion.version if champion else None)
        return replace(pushed, path=serving.find(pushed.version) or pushed.path)


def _require_saved_model(model: Path) -> None:
    if not (model / SAVED_MODEL_FILE).is_file():
        raise ComponentError(
            f"ModelPusher: expected a SavedModel in {model}, found no {SAVED_MODEL_FILE}."
        )


def _push_new(
    model: Path,
    serving: ServingFolder,
    registry: ModelRegistry,
    tags: Mapping[str, str],
    run: TrainingRun | None,
) -> PushedVersion:
    """Copy and register a new version; undo both where one of them fails."""
    with serving.copied(model) as incoming, ExitStack() as undo:
        if run is None:
            version = registry.begin_version(f"{SOURCE_SCHEME}{serving.root}", None)
        else:
            run.log_model(model)
            version = registry.begin_version(run.model_uri, run.run_id)
        undo.callback(registry.abandon_version, version)
        _require_new(version, serving)
        path = serving.standby_path(version)
        incoming.rename(path)
        undo.callback(path.rename, incoming)
        registry.finish_version(version, tags)
        undo.pop_all()
    return PushedVersion(version, path)


def _require_new(version: int, serving: ServingFolder) -> None:
    last = max(serving.versions(), default=0)
    if last >= version:
        raise ComponentError(
            f"ModelPusher: the registry's next version is {version}, but {serving.root} already "
            f"holds version {last}: they do not belong together. Name another "
            "workspace, or move the serving folder away."
        )
