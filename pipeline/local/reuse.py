"""Finds out whether a run has anything to do, before TensorFlow is imported."""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts.artifacts import signatures
from contracts.cache_key.code_digest import versions
from contracts.cache_key.sources_digest import sources_digest
from contracts.cache_key.users_digest import trainers_digest
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.search_space import varied_configs
from contracts.environment.optional_libraries import installed
from contracts.environment.own_packages import PACKAGES
from contracts.system.moved_paths import without_folders
from pipeline.component_ids import TUNER
from pipeline.local.terminal import START, Terminal
from pipeline.summary import ComponentSummary, SecondsSummary, Summary, read_summary
from pipeline.workspace import Workspace
from pipeline.workspace_registry import find_champion, identity_of, registry_stamp

# A result depends on these libraries, besides the data, the config and our own code.
LIBRARIES = (
    "apache-beam",
    "cleanvision",
    "keras",
    "numpy",
    "pillow",
    "pillow-heif",
    "scikit-learn",
    "tensorflow",
    "tensorflow-data-validation",
    "tfx",
    *installed("albumentations", "cleanlab"),
)


def run_key(
    config: PipelineConfig,
    folders: Sequence[Path],
    listing_digest: str,
    schema: Path | None,
    to: str | None,
) -> str:
    """Return the digest of all that the result of a run depends on, except the champion.

    It is the same wherever `folders` lie: workspace and project may be moved.
    """
    searched = varied_configs(config) if to == TUNER else ()
    parts = {
        "config": without_folders(config.model_dump_json(), folders),
        "data": listing_digest,
        "schema": schema and schema.name,
        "to": to,
        "code": sources_digest(*PACKAGES),
        "libraries": versions(LIBRARIES),
        "users": trainers_digest(config.trainer, *(one.trainer for _, one in searched)),
        "python": sys.version,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def unchanged_since(
    workspace: Workspace, config: PipelineConfig, key: str, to: str | None
) -> Summary | None:
    """Return the last run that has ended, where this run would only repeat it.

    Key and champion have to be the same, and all that the last run has written has to be there.

    Raises:
      ComponentError: the registry does not answer.
    """
    ended = (read_summary(workspace, run_id) for run_id in reversed(workspace.run_ids()))
    last = next((summary for summary in ended if summary is not None), None)
    if last is None or last.status == "failed" or last.key != key:
        return None
    if not all(path.exists() for path in _written_by(last, workspace)):
        return None
    # To look up the champion imports MLflow, which takes seconds.
    stamp = registry_stamp(workspace, config)
    if stamp and stamp == last.registry_stamp:
        return last
    if identity_of(find_champion(workspace, config, to)) != last.champion:
        return None
    return last.model_copy(update={"registry_stamp": stamp})


def _written_by(last: Summary, workspace: Workspace) -> Iterator[Path]:
    yield workspace.metadata_db
    yield from (workspace.pipeline_root / component for component in last.components)
    if last.report is not None:
        yield Path(last.report)
    if last.pushed_path is not None:
        yield Path(last.pushed_path, signatures.SAVED_MODEL_FILE)


def repeated_summary(last: Summary, run_id: str, seconds: float, terminal: Terminal) -> Summary:
    """Return the summary of a run that has nothing to do, and show its components."""
    why = f"nothing has changed since run {last.run_id}"
    cached = ComponentSummary(state="cached", seconds=0.0, cached=True, why=why)
    terminal.show_waiting(last.components)
    terminal.show_end(START, ComponentSummary(state="done", seconds=seconds, cached=False, why=""))
    for name in last.components:
        terminal.show_end(name, cached)
    return last.model_copy(
        update={
            "run_id": run_id,
            "components": dict.fromkeys(last.components, cached),
            "seconds": SecondsSummary(total=seconds, start=seconds),
        }
    )
