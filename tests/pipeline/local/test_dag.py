"""What nothing waits for runs beside the rest, and its failure stops the run."""

import threading
from dataclasses import dataclass, field

import pytest

pytest.importorskip("tfx")

from tfx.proto.orchestration import pipeline_pb2

from pipeline.local import dag
from pipeline.local.launching import ComponentFailed, Launched, node_id
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
# Whose outputs a component does not read, though it waits for it.
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
class FakeRun:
    """Launches nothing; what `held` names waits until it is released."""

    failing: str = ""
    held: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    ended: set[str] = field(default_factory=set)

    def launch(self, node, *, is_beside: bool = False) -> Launched:
        name = node_id(node)
        if name == self.held:
            assert self.released.wait(10)
        if name == self.failing:
            raise ComponentFailed(name, FAILED)
        self.ended.add(name)
        return Launched(name, 1, DONE)


def beside_of(run: FakeRun) -> dag._Beside:
    chosen = [node for node in nodes() if node_id(node) in ("StatisticsGen", "SchemaGen")]
    return dag._Beside(run, chosen)


def test_what_leads_to_the_last_component_is_all_whose_outputs_it_comes_from():
    everything = nodes()
    leading = dag._leading_to(everything[-1], everything)
    assert [node_id(node) for node in leading] == ["ImageExampleGen", "ImageTransform", "Trainer"]
    to_schema = dag._leading_to(everything[2], everything[:3])
    assert [node_id(node) for node in to_schema] == list(UPSTREAM)[:3]


def test_it_begins_when_its_inputs_are_there_and_is_waited_for_only_where_needed():
    run = FakeRun(held="StatisticsGen")
    beside = beside_of(run)
    beside.start(after=set())
    assert list(beside.wait_for(["ImageExampleGen"])) == []
    beside.start(after={"ImageExampleGen"})
    assert list(beside.ended()) == []
    run.released.set()
    ended = [launched.name for launched in beside.wait_for(beside.names)]
    assert ended == ["StatisticsGen", "SchemaGen"]
    assert list(beside.ended()) == []


def test_a_failure_beside_is_a_failure_and_nothing_after_it_is_launched():
    run = FakeRun(failing="StatisticsGen")
    beside = beside_of(run)
    beside.start(after={"ImageExampleGen"})
    with pytest.raises(ComponentFailed, match="StatisticsGen"):
        list(beside.wait_for(beside.names))
    beside.finish()
    assert run.ended == set()


def test_what_failed_beside_is_told_with_what_failed_in_front():
    run = FakeRun(failing="StatisticsGen")
    beside = beside_of(run)
    beside.start(after={"ImageExampleGen"})
    beside.finish()
    front = ComponentFailed("ImageTransform", FAILED)
    assert list(beside.done()) == []
    assert [failed.name for failed in beside.failures(front)] == ["StatisticsGen"]
    (known,) = beside.failures(front)
    assert beside.failures(known) == []
