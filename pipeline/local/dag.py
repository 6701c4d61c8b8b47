"""Runs a pipeline's components on this machine, and tells what happens.

TFX's LocalDagRunner does the same one by one and without telling anybody; the launcher is TFX's
own. What leads to the last component runs in order; what nothing of that reads, such as what the
data checks make, runs beside it until it is waited for.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from threading import Thread

from apache_beam.runners.portability.fn_api_runner import worker_handlers
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from contracts.images.isolation.pool import close_shared_pools
from contracts.system.memory import read_memory
from pipeline.component_ids import COMPONENTS_AND_TUNER, MODEL_PUSHER
from pipeline.local.launching import ComponentFailed, Launched, Run, node_id
from pipeline.local.records import Records
from pipeline.local.terminal import Terminal

# With less to spare, one component at a time has to do.
MEMORY_TO_RUN_BESIDE = 1 << 30
# What runs beside is left alone after an interruption if it does not end by itself.
ENDS_WITHIN_S = 5.0


def run_dag(
    pipeline: Pipeline, run_id: str, records: Records, terminal: Terminal
) -> Iterator[Launched]:
    """Launch the components and give each one when it has ended.

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
    nodes = [node.pipeline_node for node in ir.nodes]
    for node in nodes:
        if node_id(node) == MODEL_PUSHER:
            # What it does lies outside its artifacts, and pushing the same model twice is safe.
            node.execution_options.caching_options.enable_cache = False
    # TFX sorts by layers; ours is an order too, and the one that users read.
    nodes.sort(key=lambda node: COMPONENTS_AND_TUNER.index(node_id(node)))
    run = Run(ir, records, terminal)
    leading = _leading_to(nodes[-1], nodes) if _has_memory_to_spare() else nodes
    beside = _Beside(run, [node for node in nodes if node not in leading])
    try:
        for node in leading:
            beside.start(after=run.ended)
            yield from beside.wait_for(node.upstream_nodes)
            yield run.launch(node)
            yield from beside.ended()
        beside.start(after=run.ended)
        yield from beside.wait_for(beside.names)
    except KeyboardInterrupt:
        beside.abandon()
        raise
    except GeneratorExit:  # whoever takes what has ended failed
        beside.finish()
        raise
    except ComponentFailed as failed:
        beside.finish()
        yield from beside.done()
        failed.also = beside.failures(failed)
        raise


class _Beside:
    """Launches components one after another in a thread, as soon as their inputs are there."""

    def __init__(self, run: Run, nodes: Sequence[pipeline_pb2.PipelineNode]) -> None:
        self.names = [node_id(node) for node in nodes]
        self._run = run
        self._waiting = list(nodes)
        self._futures: dict[str, Future[Launched]] = {}
        self._given: set[str] = set()
        self._threads: list[Thread] = []

    def start(self, after: set[str]) -> None:
        """Start what waits for nothing but the components named, and each other."""
        ready: list[pipeline_pb2.PipelineNode] = []
        known = after | self._futures.keys()
        for node in self._waiting:
            if known.issuperset(node.upstream_nodes):
                ready.append(node)
                known.add(node_id(node))
        self._waiting = [node for node in self._waiting if node not in ready]
        self._futures |= {node_id(node): Future() for node in ready}
        if ready:
            # A daemon: an interrupted run does not wait for it.
            thread = Thread(target=self._launch, args=(ready,), name="beside", daemon=True)
            self._threads.append(thread)
            thread.start()

    def ended(self) -> Iterator[Launched]:
        """Give what has ended since the last time.

        Raises:
          ComponentFailed: one of them failed.
        """
        for name, future in self._futures.items():
            if name not in self._given and future.done():
                self._given.add(name)
                yield future.result()

    def done(self) -> Iterator[Launched]:
        """Give what has ended well since the last time."""
        for name, future in self._futures.items():
            if name not in self._given and future.done() and not future.exception():
                self._given.add(name)
                yield future.result()

    def failures(self, known: ComponentFailed) -> list[ComponentFailed]:
        """Return what has failed besides `known`; what waits for a failed one raises the same."""
        errors = [future.exception() for future in self._futures.values() if future.done()]
        return [
            error
            for number, error in enumerate(errors)
            if isinstance(error, ComponentFailed)
            and error is not known
            and error not in errors[:number]
        ]

    def wait_for(self, names: Sequence[str]) -> Iterator[Launched]:
        """Wait for those of the components that are launched here, and give what has ended."""
        wait(self._futures[name] for name in names if name in self._futures)
        yield from self.ended()

    def finish(self) -> None:
        """Wait for what runs, whatever comes of it."""
        for thread in self._threads:
            thread.join()

    def abandon(self) -> None:
        """Let nothing that still runs be published any more."""
        close_shared_pools()
        for thread in self._threads:
            thread.join(ENDS_WITHIN_S)
        self._run.records.lock.acquire()

    def _launch(self, nodes: Sequence[pipeline_pb2.PipelineNode]) -> None:
        failure: BaseException | None = None
        for node in nodes:
            future = self._futures[node_id(node)]
            try:
                if failure is not None:
                    raise failure
                future.set_result(self._run.launch(node, is_beside=True))
            except BaseException as error:
                failure = error
                future.set_exception(error)


def _leading_to(
    last: pipeline_pb2.PipelineNode, nodes: Sequence[pipeline_pb2.PipelineNode]
) -> list[pipeline_pb2.PipelineNode]:
    """Return the component and all whose outputs it comes from, in the order of `nodes`.

    What a component only waits for is not among them.
    """
    wanted = {node_id(last)}
    for node in reversed(nodes):
        if node_id(node) in wanted:
            wanted.update(
                channel.producer_node_query.id
                for read in node.inputs.inputs.values()
                for channel in read.channels
            )
    return [node for node in nodes if node_id(node) in wanted]


def _has_memory_to_spare() -> bool:
    """Tell whether there is enough memory for a second component."""
    return read_memory().available >= MEMORY_TO_RUN_BESIDE
