"""Launches one component with TFX's own launcher, and tells how it ended."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher
from tfx.proto.orchestration import pipeline_pb2

from contracts.system.errors import Refusal
from contracts.system.full_disk import is_disk_full
from pipeline.local.failure import sentence
from pipeline.local.records import Records
from pipeline.local.terminal import Terminal
from pipeline.summary import ComponentSummary

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launched:
    """A component that has been launched and how that ended."""

    name: str
    execution_id: int
    summary: ComponentSummary


class ComponentFailed(Exception):
    """A component raised; the cause is `__cause__`.

    `execution_id` is of an execution whose outputs are there all the same, None of any other.
    """

    def __init__(
        self, name: str, summary: ComponentSummary, execution_id: int | None = None
    ) -> None:
        super().__init__(name)
        self.name = name
        self.summary = summary
        self.execution_id = execution_id
        self.also: list[ComponentFailed] = []  # what failed beside it


class Run:
    """One run of a compiled pipeline."""

    def __init__(self, ir: pipeline_pb2.Pipeline, records: Records, terminal: Terminal) -> None:
        self.ended: set[str] = set()
        self.records = records
        self._ir = ir
        self._terminal = terminal

    def launch(self, node: pipeline_pb2.PipelineNode, *, is_beside: bool = False) -> Launched:
        """Launch a component, wait for its end and tell how it ended.

        Raises:
          ComponentFailed: it raised.
        """
        name = node_id(node)
        self._terminal.began(name, is_beside=is_beside)
        began_s = time.monotonic()
        try:
            execution_id = _execute(self._ir, node, self.records)
        except Exception as error:
            LOGGER.exception("%s failed", name)
            seconds = time.monotonic() - began_s
            why = "no space left on the disk" if is_disk_full(error) else sentence(error)
            failed = ComponentSummary(state="failed", seconds=seconds, cached=False, why=why)
            self._terminal.ended(name, failed)
            execution_id = self.records.refused.pop(name, None)
            raise ComponentFailed(name, failed, execution_id) from error
        seconds = time.monotonic() - began_s
        cached, why = self.records.explain(self._ir.pipeline_info.id, name, execution_id)
        state = "cached" if cached else "done"
        summary = ComponentSummary(state=state, seconds=seconds, cached=cached, why=why)
        self._terminal.ended(name, summary)
        self.ended.add(name)
        return Launched(name, execution_id, summary)


def node_id(node: pipeline_pb2.PipelineNode) -> str:
    """Return the name that the node has in the pipeline."""
    return str(node.node_info.id)


class _Launcher(launcher.Launcher):
    """TFX's launcher, with the metadata store to itself but while the component works.

    The outputs that a component publishes with its refusal are kept and recorded.
    """

    def __init__(self, records: Records, **options: Any) -> None:
        super().__init__(**options)
        self._records = records
        if self._executor_operator is not None:
            self._executor_operator.run_executor = partial(
                _keeping_refused, self._executor_operator.run_executor
            )

    def _run_executor(self, execution_info: Any) -> Any:
        self._records.lock.release()
        try:
            return super()._run_executor(execution_info)
        except Refusal as refusal:
            with self._records.lock:
                self._records.publish(execution_info.execution_id, refusal.outputs)
            name = execution_info.pipeline_node.node_info.id
            self._records.refused[name] = execution_info.execution_id
            raise
        finally:
            self._records.lock.acquire()


def _keeping_refused(run: Callable[[Any], Any], execution_info: Any) -> Any:
    """Run the executor; of one that refuses, TFX removes the outputs not published."""
    try:
        return run(execution_info)
    except Refusal as refusal:
        for key in refusal.outputs:
            del execution_info.output_dict[key]
        raise


def _execute(ir: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, records: Records) -> int:
    deployment = runner_utils.extract_local_deployment_config(ir)
    name = node_id(node)
    with records.lock:
        execution = _Launcher(
            records,
            pipeline_node=node,
            mlmd_connection=metadata.Metadata(records.connection),
            pipeline_info=ir.pipeline_info,
            pipeline_runtime_spec=ir.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(deployment, name),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
        ).launch()
    if execution is None or execution.execution_id is None:
        raise RuntimeError("its inputs are not there: a component before it gave no output")
    return int(execution.execution_id)
