"""The executions of components, as ML Metadata has recorded them."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any

from ml_metadata.metadata_store import ListOptions, MetadataStore, OrderByField
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration import metadata
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.types.artifact import Artifact, ArtifactState

from contracts.system.errors import some_of
from contracts.system.moved_paths import replace_folder
from pipeline.workspace import workspace_of

FINISHED = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
UNFINISHED = (mlmd.Execution.NEW, mlmd.Execution.RUNNING)

DIGESTS = ("code_digest", "training_digest")
# Prefixes of parameters that hold sections of the config.
WRAPPERS = re.compile(r"^(custom_config\.)?((recipe|config|tracking(?=\.tracking\.))\.)?")


class ExecutionRecords:
    """Reads one metadata store, and repairs it after a crash.

    Only the holder of `lock` may use the store: SQLite allows one writer.
    """

    def __init__(self, database: Path) -> None:
        self.connection = sqlite_metadata_connection_config(str(database))
        self.lock = RLock()
        self._store = MetadataStore(self.connection)
        self.refusals: dict[str, int] = {}  # component -> execution that ended with a refusal

    def publish_refusal(
        self, execution_info: ExecutionInfo, outputs: Mapping[str, Sequence[Artifact]]
    ) -> None:
        """Record the outputs of an execution that ended with a refusal, and is never reused."""
        execution_id, node = execution_info.execution_id, execution_info.pipeline_node
        assert execution_id is not None and node is not None  # or it has not been launched
        for artifact in (one for some in outputs.values() for one in some):
            artifact.state = ArtifactState.PUBLISHED
        with self.lock:
            [execution] = self._store.get_executions_by_id([execution_id])
            contexts = self._store.get_contexts_by_execution(execution_id)
            handle = metadata.Metadata(self.connection)
            with handle:
                execution_lib.put_execution(handle, execution, contexts, output_artifacts=outputs)
        self.refusals[node.node_info.id] = execution_id

    def outputs(self, execution_id: int) -> dict[str, mlmd.Artifact]:
        """Return an execution's output artifacts by key."""
        return self._artifacts(execution_id, mlmd.Event.OUTPUT)

    def past_artifacts(self, pipeline: str, node: str) -> Iterator[dict[str, mlmd.Artifact]]:
        """Yield inputs and outputs by key of each execution that succeeded, the newest first."""
        for execution in sorted(self._executions(pipeline, node), key=lambda one: -one.id):
            if execution.last_known_state in FINISHED:
                read = self._artifacts(execution.id, mlmd.Event.INPUT)
                yield read | self.outputs(execution.id)

    def explain(self, pipeline: str, node: str, execution_id: int) -> tuple[bool, str]:
        """Return whether an execution was answered from the cache, and why or why not."""
        executions = self._executions(pipeline, node)
        this = next(one for one in executions if one.id == execution_id)
        if this.last_known_state == mlmd.Execution.CACHED:
            return True, "nothing that it depends on has changed"
        past = [
            one for one in executions if one.id < execution_id and one.last_known_state in FINISHED
        ]
        if not past:
            return False, "first run"
        previous = max(past, key=lambda one: one.id)
        changes = [*_changed_properties(previous, this), *self._changed_inputs(previous, this)]
        return False, "; ".join(dict.fromkeys(changes)) or "it cannot be reused"

    def relocate(self, workspace: Path) -> None:
        """Replace the folder of the workspace in all records, if it was moved to `workspace`."""
        newest = ListOptions(limit=1, order_by=OrderByField.ID, is_asc=False)
        for artifact in self._store.get_artifacts(newest):
            before = workspace_of(Path(artifact.uri))
            if before != workspace:
                self._replace_workspace(before, workspace)

    def _replace_workspace(self, before: Path, now: Path) -> None:
        executions, artifacts = self._store.get_executions(), self._store.get_artifacts()
        for record in (*executions, *artifacts):
            for properties in (record.properties, record.custom_properties):
                for value in properties.values():
                    if value.HasField("string_value"):
                        value.string_value = replace_folder(value.string_value, before, now)
        for artifact in artifacts:
            artifact.uri = replace_folder(artifact.uri, before, now)
        self._store.put_executions(executions)
        # In one transaction, and last: the next run sees from their URIs whether all was done.
        self._store.put_artifacts(artifacts)

    def cancel_unfinished(self, pipeline_root: Path) -> None:
        """Cancel the executions that a killed run has left, and remove their outputs."""
        unfinished = [
            one for one in self._store.get_executions() if one.last_known_state in UNFINISHED
        ]
        for execution in unfinished:
            for folder in pipeline_root.glob(f"*/*/{execution.id}"):
                shutil.rmtree(folder)
            execution.last_known_state = mlmd.Execution.CANCELED
        if unfinished:
            self._store.put_executions(unfinished)

    def _executions(self, pipeline: str, node: str) -> list[mlmd.Execution]:
        with self.lock:
            context = self._store.get_context_by_type_and_name("node", f"{pipeline}.{node}")
            return list(self._store.get_executions_by_context(context.id)) if context else []

    def _artifacts(self, execution_id: int, kind: int) -> dict[str, mlmd.Artifact]:
        with self.lock:
            events = self._events(execution_id, kind)
            found = self._store.get_artifacts_by_id([event.artifact_id for event in events])
        artifacts = {artifact.id: artifact for artifact in found}
        return {event.path.steps[0].key: artifacts[event.artifact_id] for event in events}

    def _events(self, execution_id: int, kind: int) -> list[mlmd.Event]:
        with self.lock:
            events = self._store.get_events_by_execution_ids([execution_id])
        return [event for event in events if event.type == kind]

    def _changed_inputs(self, before: mlmd.Execution, now: mlmd.Execution) -> Iterator[str]:
        old, new = self._inputs(before.id), self._inputs(now.id)
        changed = [key for key in sorted(old | new) if old.get(key) != new.get(key)]
        if changed:
            yield f"new {some_of(changed)}"

    def _inputs(self, execution_id: int) -> dict[str, tuple[int, ...]]:
        inputs: dict[str, tuple[int, ...]] = {}
        for event in self._events(execution_id, mlmd.Event.INPUT):
            key = event.path.steps[0].key
            inputs[key] = (*inputs.get(key, ()), event.artifact_id)
        return inputs


def _changed_properties(before: mlmd.Execution, now: mlmd.Execution) -> Iterator[str]:
    old, new = _properties(before), _properties(now)
    for key in sorted(old | new):
        if old.get(key) == new.get(key):
            continue
        if key.endswith(DIGESTS):
            yield "its code or a library changed"
        elif key == "data_listing":
            yield "the data changed"
        else:
            yield f"{key} changed from {_shown(old.get(key))} to {_shown(new.get(key))}"


def _properties(execution: mlmd.Execution) -> dict[str, Any]:
    """Return the execution's parameters by the names of pipeline.yaml: "trainer.epochs": 3."""
    flat: dict[str, Any] = {}
    for properties in (execution.properties, execution.custom_properties):
        for key, value in properties.items():
            _flatten(key, getattr(value, value.WhichOneof("value")), flat)
    return {WRAPPERS.sub("", key).replace("_config.", "."): value for key, value in flat.items()}


def _flatten(key: str, value: Any, into: dict[str, Any]) -> None:
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            into[key] = value
            return
    if isinstance(value, Mapping) and value:
        for inner, one in value.items():
            _flatten(f"{key}.{inner}", one, into)
    else:
        into[key] = value


def _shown(value: Any) -> str:
    text = "nothing" if value in (None, "") else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
