"""The ModelGate component."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.model_gate.executor import Executor
from contracts.cache_key.code_digest import code_digest
from contracts.config.evaluation import EvaluationConfig


class ModelGateSpec(ComponentSpec):
    """Reads an evaluation; writes a blessing."""

    PARAMETERS = {
        "evaluation_config": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "model": ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {"blessing": ChannelParameter(type=standard_artifacts.ModelBlessing)}


class ModelGate(BaseComponent):
    """Blesses a candidate that keeps the limits of `evaluation`; records the reasons."""

    SPEC_CLASS = ModelGateSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        evaluation: types.BaseChannel[types.Artifact],
        model: types.BaseChannel[types.Artifact],
        evaluation_config: EvaluationConfig,
    ) -> None:
        """Take the `evaluation` of the candidate `model` and the `evaluation` section."""
        spec = ModelGateSpec(
            evaluation=evaluation,
            model=model,
            evaluation_config=evaluation_config.model_dump_json(),
            code_digest=code_digest(Executor.__module__),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)
