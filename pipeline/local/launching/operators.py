"""TFX's executor operators, with the metadata store unlocked while a component works.

`Launcher` takes them as `custom_executor_operators`: an operator class for each kind of executor.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from google.protobuf.message import Message
from tfx.orchestration.portable.base_executor_operator import BaseExecutorOperator
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.orchestration.portable.python_executor_operator import PythonExecutorOperator
from tfx.proto.orchestration import executable_spec_pb2, execution_result_pb2

from contracts.system.errors import Refusal
from pipeline.local.launching.execution_records import ExecutionRecords


class UnlockingPythonOperator(PythonExecutorOperator):
    """Runs the executor of a component that does not use Beam."""

    records: ClassVar[ExecutionRecords]

    def run_executor(self, execution_info: ExecutionInfo) -> execution_result_pb2.ExecutorOutput:
        """Run the executor while others use the metadata store, and return its output."""
        with _unlocked(self.records, execution_info):
            return super().run_executor(execution_info)


class UnlockingBeamOperator(BeamExecutorOperator):
    """Runs the executor of a component that uses Beam."""

    records: ClassVar[ExecutionRecords]

    def run_executor(
        self, execution_info: ExecutionInfo, *options: Any
    ) -> execution_result_pb2.ExecutorOutput:
        """Run the executor while others use the metadata store, and return its output."""
        with _unlocked(self.records, execution_info):
            return super().run_executor(execution_info, *options)


def executor_operators(
    records: ExecutionRecords,
) -> dict[type[Message], type[BaseExecutorOperator]]:
    """Return the operator class for each kind of executor; each has the lock of `records`."""
    operators: dict[type[Message], type[BaseExecutorOperator]] = {
        executable_spec_pb2.PythonClassExecutableSpec: UnlockingPythonOperator,
        executable_spec_pb2.BeamExecutableSpec: UnlockingBeamOperator,
    }
    # TFX creates the operators itself, without arguments of ours.
    return {
        spec: type(operator.__name__, (operator,), {"records": records})
        for spec, operator in operators.items()
    }


@contextmanager
def _unlocked(records: ExecutionRecords, execution_info: ExecutionInfo) -> Iterator[None]:
    """Release the launcher's lock while the block runs.

    The outputs that come with a Refusal are recorded, and kept on the disk.
    """
    records.lock.release()
    try:
        yield
    except Refusal as refusal:
        records.publish_refusal(execution_info, refusal.outputs)
        for key in refusal.outputs:
            # After an exception TFX removes the folders of all outputs that are in here.
            del execution_info.output_dict[key]
        raise
    finally:
        records.lock.acquire()
