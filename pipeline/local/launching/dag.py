"""Runs the components of a pipeline on this machine.

TFX's LocalDagRunner runs them one by one and shows no progress. Here the main branch, which is the
last component and all that it reads, runs in order; the other components run in threads meanwhile
(docs/adr/0006). Each is launched by TFX's own launcher.
"""

from collections.abc import Iterator, Sequence

from tfx.dsl.compiler import compiler, constants
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from contracts.system.memory import read_memory
from pipeline.component_ids import COMPONENTS_AND_TUNER, MODEL_PUSHER
from pipeline.local.launching.component_launcher import (
    ComponentFailed,
    ComponentLauncher,
    LaunchedComponent,
    node_id,
)
from pipeline.local.launching.execution_records import ExecutionRecords
from pipeline.local.launching.side_branch import SideBranch
from pipeline.local.terminal import Terminal

# With less memory available than this, in bytes, one component runs at a time.
MEMORY_FOR_SIDE_BRANCH = 1 << 30


def run_dag(
    pipeline: Pipeline, run_id: str, records: ExecutionRecords, terminal: Terminal
) -> Iterator[LaunchedComponent]:
    """Launch the components and give each one when it has ended.

    Raises:
      ComponentFailed: a component raised; the ones after it are not launched.
    """
    ir = _compiled(pipeline, run_id)
    nodes = _ordered_nodes(ir)
    launcher = ComponentLauncher(ir, records, terminal)
    main = main_branch(nodes) if _has_memory_for_side_branch() else nodes
    side = SideBranch(launcher, [node for node in nodes if node not in main])
    try:
        for node in main:
            side.start(after=launcher.ended)
            yield from side.wait_for(node.upstream_nodes)
            yield launcher.launch(node)
            yield from side.ended()
        side.start(after=launcher.ended)
        yield from side.wait_for(side.names)
    except KeyboardInterrupt:
        side.abandon()
        raise
    except GeneratorExit:  # the caller failed with the component that it was given
        side.finish()
        raise
    except ComponentFailed as failed:
        side.finish()
        yield from side.ended_well()
        failed.other_failures = side.failures(failed)
        raise


def main_branch(
    nodes: Sequence[pipeline_pb2.PipelineNode],
) -> list[pipeline_pb2.PipelineNode]:
    """Return the last node and all whose outputs it depends on, in the order of `nodes`.

    A node that another one only waits for is not among them.
    """
    wanted = {node_id(nodes[-1])}
    for node in reversed(nodes):
        if node_id(node) in wanted:
            wanted.update(
                channel.producer_node_query.id
                for spec in node.inputs.inputs.values()
                for channel in spec.channels
            )
    return [node for node in nodes if node_id(node) in wanted]


def _compiled(pipeline: Pipeline, run_id: str) -> pipeline_pb2.Pipeline:
    ir = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    return ir


def _ordered_nodes(ir: pipeline_pb2.Pipeline) -> list[pipeline_pb2.PipelineNode]:
    """Return the nodes in the order of COMPONENTS, which users know; TFX's own is by layers."""
    nodes = [node.pipeline_node for node in ir.nodes]
    for node in nodes:
        if node_id(node) == MODEL_PUSHER:
            # It writes outside of its artifacts, so it always runs; pushing the same model twice is
            # safe.
            node.execution_options.caching_options.enable_cache = False
    return sorted(nodes, key=lambda node: COMPONENTS_AND_TUNER.index(node_id(node)))


def _has_memory_for_side_branch() -> bool:
    return read_memory().available >= MEMORY_FOR_SIDE_BRANCH
