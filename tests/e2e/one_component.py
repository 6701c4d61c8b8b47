"""Runs the executor of one component on the inputs that a finished run has recorded.

Usage: python one_component.py METADATA_DB EXECUTION_ID EXECUTOR_CLASS FOLDER
"""

import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.types import artifact_utils

INPUT, OUTPUT = mlmd.Event.INPUT, mlmd.Event.OUTPUT


def main(database: str, execution_id: str, executor: str, folder: str) -> None:
    sys.argv = sys.argv[:1]  # Beam reads it
    store = MetadataStore(sqlite_metadata_connection_config(database))
    (execution,) = store.get_executions_by_id([int(execution_id)])
    recorded = {**execution.properties, **execution.custom_properties}
    properties = {
        key: getattr(value, value.WhichOneof("value"))
        for key, value in recorded.items()
        if value.WhichOneof("value") and not key.startswith("__")
    }
    artifacts: dict[int, dict] = {INPUT: defaultdict(list), OUTPUT: defaultdict(list)}
    for event in store.get_events_by_execution_ids([int(execution_id)]):
        (found,) = store.get_artifacts_by_id([event.artifact_id])
        (kind,) = store.get_artifact_types_by_id([found.type_id])
        artifact = artifact_utils.deserialize_artifact(kind, found)
        key = event.path.steps[0].key
        if event.type == OUTPUT:
            artifact.uri = str(Path(folder, key, execution_id))
            Path(artifact.uri).mkdir(parents=True)
        artifacts[event.type][key].append(artifact)
    module, name = executor.rsplit(".", 1)
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"],
        tmp_dir=f"{folder}/tmp/",
        unique_id=execution_id,
    )
    made = getattr(import_module(module), name)(context)
    made.Do(dict(artifacts[INPUT]), dict(artifacts[OUTPUT]), properties)


if __name__ == "__main__":
    main(*sys.argv[1:])
