"""Launches one component with TFX's own launcher, and shows how it ended."""

import logging
import time
from dataclasses import dataclass

from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable.launcher import Launcher
from tfx.proto.orchestration import pipeline_pb2

from contracts.system.full_disk import is_disk_full
from pipeline.local.launching.execution_records import ExecutionRecords
from pipeline.local.launching.failure import failure_sentence
from pipeline.local.launching.operators import executor_operators
from pipeline.local.terminal import Terminal
from pipeline.summary import ComponentSummary

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class LaunchedComponent:
    """A component that has ended well."""

    name: str
    execution_id: int
    summary: ComponentSummary


class ComponentFailed(Exception):
    """A component raised; its exception is `__cause__`.

    `execution_id` is that of a refusal, whose outputs are published; None after any other failure.
    """

    def __init__(
        self, name: str, summary: ComponentSummary, execution_id: int | None = None
    ) -> None:
        super().__init__(name)
        self.name = name
        self.summary = summary
        self.execution_id = execution_id
        self.other_failures: list[ComponentFailed] = []  # on the side branch, at the same time


class ComponentLauncher:
    """Launches the components of one run of a compiled pipeline."""

    def __init__(
        self, ir: pipeline_pb2.Pipeline, records: ExecutionRecords, terminal: Terminal
    ) -> None:
        self.ended: set[str] = set()  # components that have ended well
        self.records = records
        self._ir = ir
        self._deployment = runner_utils.extract_local_deployment_config(ir)
        self._terminal = terminal

    def launch(
        self, node: pipeline_pb2.PipelineNode, *, on_side_branch: bool = False
    ) -> LaunchedComponent:
        """Launch a component, wait for its end and show how it ended.

        Raises:
          ComponentFailed: it raised.
        """
        name = node_id(node)
        self._terminal.show_start(name, on_side_branch=on_side_branch)
        began_s = time.monotonic()
        try:
            execution_id = self._execute(node)
        except Exception as error:
            LOGGER.exception("%s failed", name)
            seconds = time.monotonic() - began_s
            why = "no space left on the disk" if is_disk_full(error) else failure_sentence(error)
            failed = ComponentSummary(state="failed", seconds=seconds, cached=False, why=why)
            self._terminal.show_end(name, failed)
            raise ComponentFailed(name, failed, self.records.refusals.get(name)) from error
        seconds = time.monotonic() - began_s
        cached, why = self.records.explain(self._ir.pipeline_info.id, name, execution_id)
        summary = ComponentSummary(
            state="cached" if cached else "done", seconds=seconds, cached=cached, why=why
        )
        self._terminal.show_end(name, summary)
        self.ended.add(name)
        return LaunchedComponent(name, execution_id, summary)

    def _execute(self, node: pipeline_pb2.PipelineNode) -> int:
        """Run TFX's launcher, which the metadata store belongs to, and return the execution."""
        name = node_id(node)
        with self.records.lock:
            execution = Launcher(
                pipeline_node=node,
                mlmd_connection=metadata.Metadata(self.records.connection),
                pipeline_info=self._ir.pipeline_info,
                pipeline_runtime_spec=self._ir.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(self._deployment, name),
                custom_driver_spec=runner_utils.extract_custom_driver_spec(self._deployment, name),
                custom_executor_operators=executor_operators(self.records),
            ).launch()
        if execution is None or execution.execution_id is None:
            raise RuntimeError("its inputs are not there: a component before it gave no output")
        return int(execution.execution_id)


def node_id(node: pipeline_pb2.PipelineNode) -> str:
    """Return the id of the component that the node stands for."""
    return str(node.node_info.id)
