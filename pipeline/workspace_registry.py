"""The model registry that belongs to a workspace and a config."""

from typing import TYPE_CHECKING

from contracts.config.mlflow_uri import sqlite_file
from contracts.config.pipeline_config import PipelineConfig
from contracts.system.errors import ComponentError, WorkspaceError
from pipeline.component_ids import DEPENDENT_ON_CHAMPION
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from registry.model_versions import ModelRegistry, RegisteredVersion


def open_registry(workspace: Workspace, config: PipelineConfig) -> "ModelRegistry | None":
    """Return the registry, or None where there is none yet. Imports MLflow only where there is."""
    file = sqlite_file(workspace.tracking_store(config).uri)
    if file is not None and not file.exists():
        return None
    return _registry(workspace, config)


def registry_stamp(workspace: Workspace, config: PipelineConfig) -> str:
    """Return a text that changes with every write to the registry; empty for a server's."""
    if config.tracking.mlflow.uri is not None or not workspace.mlflow_db.exists():
        return ""
    stat = workspace.mlflow_db.stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"


def find_champion(
    workspace: Workspace, config: PipelineConfig, to: str | None = None
) -> "RegisteredVersion | None":
    """Return the champion, or None where there is none.

    A run up to a component `to` that does not depend on the champion asks no registry. Every other
    run writes to the registry later. If there is none, it is created now: that takes seconds, and
    nothing waits for it yet.

    Raises:
      ComponentError: the registry does not answer.
    """
    if to not in (None, *DEPENDENT_ON_CHAMPION):
        return None
    return _registry(workspace, config).champion()


def identity_of(champion: "RegisteredVersion | None") -> str:
    """Return the identity of the champion, number and content; empty where there is none."""
    return champion.identity if champion else ""


def require_loadable(champion: "RegisteredVersion | None") -> None:
    """Return if a candidate can be compared with the champion, or there is none.

    Raises:
      WorkspaceError: its SavedModel is not there, or is another one.
    """
    if champion is None:
        return
    try:
        champion.require_folder()
    except ComponentError as error:
        raise WorkspaceError(error.problems) from error


def _registry(workspace: Workspace, config: PipelineConfig) -> "ModelRegistry":
    from registry.model_versions import ModelRegistry
    from registry.serving_folder import ServingFolder

    serving = ServingFolder(workspace.serving(config.name))
    return ModelRegistry(workspace.tracking_store(config), serving)
