"""The components that the last one does not read, such as the checks of the data."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from threading import Thread

from tfx.proto.orchestration import pipeline_pb2

from contracts.images.isolation.pool import close_shared_pools
from pipeline.local.launching.component_launcher import (
    ComponentFailed,
    ComponentLauncher,
    LaunchedComponent,
    node_id,
)

# An interrupted run waits so long for each thread. Then it leaves the thread alone.
ENDS_WITHIN_S = 5.0


class SideBranch:
    """Launches its components in threads, each as soon as those before it have ended."""

    def __init__(
        self, launcher: ComponentLauncher, nodes: Sequence[pipeline_pb2.PipelineNode]
    ) -> None:
        self.names = [node_id(node) for node in nodes]
        self._launcher = launcher
        self._waiting = list(nodes)
        self._futures: dict[str, Future[LaunchedComponent]] = {}
        self._given: set[str] = set()
        self._threads: list[Thread] = []

    def start(self, after: set[str]) -> None:
        """Start the components that wait for nothing but those in `after`, and for each other."""
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
            thread = Thread(target=self._launch, args=(ready,), name="side branch", daemon=True)
            self._threads.append(thread)
            thread.start()

    def ended(self) -> Iterator[LaunchedComponent]:
        """Give the components that have ended since the last call.

        Raises:
          ComponentFailed: one of them failed.
        """
        for name in self._newly_done():
            self._given.add(name)
            yield self._futures[name].result()

    def ended_well(self) -> Iterator[LaunchedComponent]:
        """Give the components that have ended well since the last call; leave out failed ones."""
        for name in self._newly_done():
            if not self._futures[name].exception():
                self._given.add(name)
                yield self._futures[name].result()

    def failures(self, known: ComponentFailed) -> list[ComponentFailed]:
        """Return the failures besides `known`, each once.

        A component whose predecessor failed holds the same failure.
        """
        errors = [future.exception() for future in self._futures.values() if future.done()]
        return [
            error
            for number, error in enumerate(errors)
            if isinstance(error, ComponentFailed)
            and error is not known
            and error not in errors[:number]
        ]

    def wait_for(self, names: Sequence[str]) -> Iterator[LaunchedComponent]:
        """Wait for those of the named components that are here, and give what has ended."""
        wait(self._futures[name] for name in names if name in self._futures)
        yield from self.ended()

    def finish(self) -> None:
        """Wait for the components that run, whether they fail or not."""
        for thread in self._threads:
            thread.join()

    def abandon(self) -> None:
        """Keep the components that still run from publishing anything."""
        close_shared_pools()
        for thread in self._threads:
            thread.join(ENDS_WITHIN_S)
        # It is never released: a component that ends later waits for it until the process ends.
        self._launcher.records.lock.acquire()

    def _newly_done(self) -> list[str]:
        return [
            name
            for name, future in self._futures.items()
            if name not in self._given and future.done()
        ]

    def _launch(self, nodes: Sequence[pipeline_pb2.PipelineNode]) -> None:
        failure: BaseException | None = None
        for node in nodes:
            future = self._futures[node_id(node)]
            try:
                if failure is not None:
                    raise failure
                future.set_result(self._launcher.launch(node, on_side_branch=True))
            except BaseException as error:
                failure = error
                future.set_exception(error)
