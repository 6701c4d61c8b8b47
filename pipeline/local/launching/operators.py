"""TFX's executor operators, with the metadata store unlocked while a component works.

`Launcher` takes them as `custom_executor_operators`: an operator for each kind of executor.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from google.protobuf.message import Message
from tfx.orchestration.portable.base_executor_operator import BaseExecutorOperator
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.orchestration.portable.python_executor_operator import PythonExecutorOperator
from tfx.proto.orchestration import executable_spec_pb2
from tfx.proto.orchestration.execution_result_pb2 import ExecutorOutput

from contracts.system.errors import Refusal
from pipeline.local.launching.records import Records


class _UnlockingOperator(BaseExecutorOperator):
    """Releases the lock of `records` while the executor runs; the launcher holds it.

    The outputs that come with a refusal are recorded, and kept on the disk.
    """

    def __init__(
        self, executor_spec: Message, platform_config: Message | None = None, *, records: Records
    ) -> None:
        super().__init__(executor_spec, platform_config)
        self._records = records

    def run_executor(self, execution_info: ExecutionInfo) -> ExecutorOutput:
        """Run the executor and return its output.

        Raises:
          Refusal: the component refuses its input.
          Exception: whatever else the executor raised.
        """
        self._records.lock.release()
        try:
            return super().run_executor(execution_info)
        except Refusal as refusal:
            self._keep_outputs(refusal, execution_info)
            raise
        finally:
            self._records.lock.acquire()

    def _keep_outputs(self, refusal: Refusal, execution_info: ExecutionInfo) -> None:
        self._records.publish_refusal(
            execution_info.pipeline_node.node_info.id, execution_info.execution_id, refusal.outputs
        )
        for key in refusal.outputs:
            # TFX removes the folders of all outputs that are in here after an exception.
            del execution_info.output_dict[key]


class UnlockingPythonOperator(_UnlockingOperator, PythonExecutorOperator):
    """Runs the executor of a component that does not use Beam."""


class UnlockingBeamOperator(_UnlockingOperator, BeamExecutorOperator):
    """Runs the executor of a component that uses Beam."""


def executor_operators(
    records: Records,
) -> Mapping[type[Message], Callable[..., BaseExecutorOperator]]:
    """Return what makes the operator for each kind of executor specification."""
    operators: dict[type[Message], Any] = {
        executable_spec_pb2.PythonClassExecutableSpec: UnlockingPythonOperator,
        executable_spec_pb2.BeamExecutableSpec: UnlockingBeamOperator,
    }
    return {spec: partial(operator, records=records) for spec, operator in operators.items()}
