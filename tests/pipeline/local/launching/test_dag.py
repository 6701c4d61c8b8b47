"""The side branch runs in parallel to the main one, and its failure stops the run."""

import threading
from dataclasses import dataclass, field

import pytest

pytest.importorskip("tfx")

from tfx.proto.orchestration import pipeline_pb2

from pipeline.local.launching.component_launcher import ComponentFailed, LaunchedComponent, node_id
from pipeline.local.launching.dag import main_branch
from pipeline.local.launching.side_branch import SideBranch
from pipeline.summary import ComponentSummary

DONE = ComponentSummary(state="done", seconds=0.0, cached=False, why="")
FAILED = ComponentSummary(state="failed", seconds=0.0, cached=False, why="broken")

UPSTREAM = {
    "ImageExampleGen": [],
    "StatisticsGen": ["ImageExampleGen"],
    "SchemaGen": ["StatisticsGen"],
    "ImageTransform": ["ImageExampleGen"],
    "Trainer": ["ImageTransform", "SchemaGen"],
}
# Components that the key waits for, though it reads none of their outputs.
ONLY_AWAITED = {"Trainer": ["SchemaGen"]}


def nodes() -> list[pipeline_pb2.PipelineNode]:
    return [node(name, upstream) for name, upstream in UPSTREAM.items()]


def node(name: str, upstream: list[str]) -> pipeline_pb2.PipelineNode:
    made = pipeline_pb2.PipelineNode(
        node_info=pipeline_pb2.NodeInfo(id=name), upstream_nodes=upstream
    )
    for producer in set(upstream) - set(ONLY_AWAITED.get(name, ())):
        channel = made.inputs.inputs[producer].channels.add()
        channel.producer_node_query.id = producer
    return made


@dataclass
class FakeLauncher:
    """Launches nothing; the component `held` waits until it is released."""

    failing: str = ""
    held: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    ended: set[str] = field(default_factory=set)

    def launch(self, node, *, on_side_branch: bool = False) -> LaunchedComponent:
        name = node_id(node)
        if name == self.held:
            assert self.released.wait(10)
        if name == self.failing:
            raise ComponentFailed(name, FAILED)
        self.ended.add(name)
        return LaunchedComponent(name, 1, DONE)


def side_branch(launcher: FakeLauncher) -> SideBranch:
    chosen = [node for node in nodes() if node_id(node) in ("StatisticsGen", "SchemaGen")]
    return SideBranch(launcher, chosen)


def test_the_main_branch_is_all_that_the_last_component_reads():
    everything = nodes()
    main = main_branch(everything)
    assert [node_id(node) for node in main] == ["ImageExampleGen", "ImageTransform", "Trainer"]
    to_schema = main_branch(everything[:3])
    assert [node_id(node) for node in to_schema] == list(UPSTREAM)[:3]


def test_the_side_branch_starts_when_its_inputs_are_there_and_is_awaited_only_where_needed():
    launcher = FakeLauncher(held="StatisticsGen")
    side = side_branch(launcher)
    side.start(after=set())
    assert list(side.wait_for(["ImageExampleGen"])) == []
    side.start(after={"ImageExampleGen"})
    assert list(side.ended()) == []
    launcher.released.set()
    ended = [launched.name for launched in side.wait_for(side.names)]
    assert ended == ["StatisticsGen", "SchemaGen"]
    assert list(side.ended()) == []


def test_after_a_failure_on_the_side_branch_nothing_is_launched():
    launcher = FakeLauncher(failing="StatisticsGen")
    side = side_branch(launcher)
    side.start(after={"ImageExampleGen"})
    with pytest.raises(ComponentFailed, match="StatisticsGen"):
        list(side.wait_for(side.names))
    side.finish()
    assert launcher.ended == set()


def test_a_failure_on_the_side_branch_is_reported_beside_one_on_the_main_branch():
    launcher = FakeLauncher(failing="StatisticsGen")
    side = side_branch(launcher)
    side.start(after={"ImageExampleGen"})
    side.finish()
    on_main = ComponentFailed("ImageTransform", FAILED)
    assert list(side.ended_well()) == []
    assert [failed.name for failed in side.failures(on_main)] == ["StatisticsGen"]
    (known,) = side.failures(on_main)
    assert side.failures(known) == []
