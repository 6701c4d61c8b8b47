"""Runs a pipeline's components one after another on this machine, and tells what happens.

TFX's LocalDagRunner does the same without telling anybody; the launcher is TFX's own.
"""

import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from apache_beam.runners.portability.fn_api_runner import worker_handlers
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from pipeline.failure import is_disk_full, sentence
from pipeline.records import Records
from pipeline.summary import COMPONENTS, ComponentSummary
from pipeline.terminal import Terminal

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launched:
    """A component that has been launched and how that ended."""

    name: str
    execution_id: int
    summary: ComponentSummary


class ComponentFailed(Exception):
    """A component raised; the cause is `__cause__`."""

    def __init__(self, name: str, summary: ComponentSummary) -> None:
        super().__init__(name)
        self.name = name
        self.summary = summary


def run_dag(
    pipeline: Pipeline, run_id: str, records: Records, terminal: Terminal
) -> Iterator[Launched]:
    """Launch the components in order and give each one as it ends.

    Raises:
      ComponentFailed: a component raised; the ones after it are not launched.
    """
    # Beam and TFX read the command line of the process as options of their own.
    del sys.argv[1:]
    # Sizing every cached side input walks all modules' globals: seconds a component.
    worker_handlers.STATE_CACHE_SIZE_MB = 0
    ir = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    for node in ir.nodes:
        if _id(node) == "ModelPusher":
            # What it does lies outside its artifacts, and pushing the same model twice is safe.
            node.pipeline_node.execution_options.caching_options.enable_cache = False
    # TFX sorts by layers; ours is an order too, and the one that users read.
    for node in sorted(ir.nodes, key=lambda node: COMPONENTS.index(_id(node))):
        name = _id(node)
        terminal.began(name)
        began_s = time.monotonic()
        try:
            execution_id = _launch(ir, node.pipeline_node, records.connection)
        except Exception as error:
            LOGGER.exception("%s failed", name)
            seconds = time.monotonic() - began_s
            why = "no space left on the disk" if is_disk_full(error) else sentence(error)
            failed = ComponentSummary(state="failed", seconds=seconds, cached=False, why=why)
            terminal.ended(name, failed)
            raise ComponentFailed(name, failed) from error
        seconds = time.monotonic() - began_s
        cached, why = records.explain(pipeline.pipeline_info.pipeline_name, name, execution_id)
        state = "cached" if cached else "done"
        summary = ComponentSummary(state=state, seconds=seconds, cached=cached, why=why)
        terminal.ended(name, summary)
        yield Launched(name, execution_id, summary)


def _id(node: pipeline_pb2.Pipeline.PipelineOrNode) -> str:
    return str(node.pipeline_node.node_info.id)


def _launch(ir: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, connection: object) -> int:
    deployment = runner_utils.extract_local_deployment_config(ir)
    node_id = node.node_info.id
    execution = launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=metadata.Metadata(connection),
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
    ).launch()
    if execution is None or execution.execution_id is None:
        raise RuntimeError("its inputs are not there: a component before it gave no output")
    return int(execution.execution_id)
