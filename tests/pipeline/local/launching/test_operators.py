"""While a component works, others use the metadata store; a refusal's outputs are kept."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tfx")

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2
from tfx.types import standard_artifacts

from contracts.system.errors import Refusal
from pipeline.local.launching.operators import executor_operators


@dataclass
class FakeRecords:
    """Records in memory what is published."""

    lock: Any = field(default_factory=threading.RLock)
    refusals: list[tuple[int, list[str]]] = field(default_factory=list)

    def publish_refusal(self, execution_info: ExecutionInfo, outputs: Any) -> None:
        self.refusals.append((execution_info.execution_id, list(outputs)))


class Working(BaseExecutor):
    """Sees whether another thread can use the metadata store."""

    records = FakeRecords()
    is_unlocked = False

    def Do(self, input_dict, output_dict, exec_properties):
        other = threading.Thread(target=self._use_store)
        other.start()
        other.join()

    def _use_store(self) -> None:
        type(self).is_unlocked = self.records.lock.acquire(blocking=False)
        if self.is_unlocked:
            self.records.lock.release()


class Refusing(BaseExecutor):
    """Refuses its input, and says why in `report`."""

    def Do(self, input_dict, output_dict, exec_properties):
        raise Refusal("the data is not to be used", {"report": output_dict["report"]})


class Failing(BaseExecutor):
    def Do(self, input_dict, output_dict, exec_properties):
        raise ValueError("broken")


def execution_info(folder: Path) -> ExecutionInfo:
    report, model = standard_artifacts.ExampleStatistics(), standard_artifacts.Model()
    return ExecutionInfo(
        execution_id=7,
        input_dict={},
        output_dict={"report": [report], "model": [model]},
        exec_properties={},
        execution_output_uri=str(folder / "output"),
        stateful_working_dir=str(folder),
        tmp_dir=str(folder),
        pipeline_node=pipeline_pb2.PipelineNode(
            node_info=pipeline_pb2.NodeInfo(id="ImageValidator")
        ),
        pipeline_info=pipeline_pb2.PipelineInfo(id="toys"),
        pipeline_run_id="1",
    )


def operator(executor: type[BaseExecutor], records: FakeRecords) -> Any:
    spec = executable_spec_pb2.PythonClassExecutableSpec(
        class_path=f"{executor.__module__}.{executor.__name__}"
    )
    return executor_operators(records)[type(spec)](executor_spec=spec, platform_config=None)


def is_locked(records: FakeRecords) -> bool:
    found: list[bool] = []
    other = threading.Thread(target=lambda: found.append(records.lock.acquire(blocking=False)))
    other.start()
    other.join()
    return not found[0]


def test_the_store_is_free_while_a_component_works_and_locked_afterwards(tmp_path):
    records = Working.records
    with records.lock:
        operator(Working, records).run_executor(execution_info(tmp_path))
        assert is_locked(records)
    assert Working.is_unlocked


def test_the_outputs_of_a_refusal_are_recorded_and_no_longer_removed(tmp_path):
    records, info = FakeRecords(), execution_info(tmp_path)
    with records.lock:
        with pytest.raises(Refusal, match="not to be used"):
            operator(Refusing, records).run_executor(info)
        assert is_locked(records)
    assert records.refusals == [(7, ["report"])]
    assert list(info.output_dict) == ["model"]


def test_a_failure_leaves_every_output_to_be_removed(tmp_path):
    records, info = FakeRecords(), execution_info(tmp_path)
    with records.lock:
        with pytest.raises(ValueError, match="broken"):
            operator(Failing, records).run_executor(info)
        assert is_locked(records)
    assert records.refusals == []
    assert list(info.output_dict) == ["report", "model"]


def test_components_on_beam_have_such_an_operator_too():
    kinds = {
        executable_spec_pb2.PythonClassExecutableSpec,
        executable_spec_pb2.BeamExecutableSpec,
    }
    assert set(executor_operators(FakeRecords())) == kinds
