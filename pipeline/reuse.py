"""Recognises a run that has nothing to do, before TensorFlow is imported."""

import hashlib
import importlib.metadata
import json
import sys
from pathlib import Path

from components.code_digest import code_digest
from contracts.config import PipelineConfig
from pipeline.summary import ComponentSummary, SecondsSummary, Summary, read_summary
from pipeline.terminal import START, Terminal
from pipeline.workspace import Workspace

OWN_CODE = ("contracts", "components", "trainer", "serving", "pipeline")
# What a result depends on besides the data, the config and our own code.
LIBRARIES = ("tfx", "tensorflow", "keras", "apache-beam", "tensorflow-data-validation", "pillow")


def run_key(config: PipelineConfig, fingerprint: str, schema: Path | None, to: str | None) -> str:
    """Return the digest of everything that a run's result follows from, the champion aside."""
    users_module = [config.trainer.model.partition(":")[0]] if ":" in config.trainer.model else []
    parts = {
        "config": config.model_dump(mode="json"),
        "data": fingerprint,
        "schema": schema and schema.name,
        "to": to,
        "code": code_digest(*OWN_CODE, *users_module),
        "python": sys.version,
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def unchanged_since(workspace: Workspace, key: str, champion_version: int) -> Summary | None:
    """Return the last run that came to its end, if this one could only repeat it.

    That is so while key and champion are the same as then, and what it pushed is there.
    """
    ended = (read_summary(workspace, run_id) for run_id in reversed(workspace.run_ids()))
    last = next((summary for summary in ended if summary is not None), None)
    if last is None or last.status == "failed":
        return None
    if last.key != key or last.champion_version != champion_version:
        return None
    if last.pushed_path is not None and not Path(last.pushed_path, "saved_model.pb").is_file():
        return None
    return last


def reused(last: Summary, run_id: str, seconds: float, terminal: Terminal) -> Summary:
    """Return the summary of a run that repeats `last` without doing anything."""
    why = f"nothing has changed since run {last.run_id}"
    cached = ComponentSummary(state="cached", seconds=0.0, cached=True, why=why)
    terminal.ended(START, ComponentSummary(state="done", seconds=seconds, cached=False, why=""))
    for name in last.components:
        terminal.ended(name, cached)
    return last.model_copy(
        update={
            "run_id": run_id,
            "components": dict.fromkeys(last.components, cached),
            "seconds": SecondsSummary(total=seconds, start=seconds),
        }
    )
