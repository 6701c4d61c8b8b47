"""The ModelEvaluator component."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.model_evaluator.executor import Executor
from contracts.cache_key.code_digest import code_digest
from contracts.config.evaluation import EvaluationConfig

# What an evaluation follows from.


class ModelEvaluatorSpec(ComponentSpec):
    """Test images, candidate and champion in, an evaluation out."""

    PARAMETERS = {
        "evaluation_config": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {"evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation)}


class ModelEvaluator(BaseComponent):
    """Measures candidate and champion side by side; replaces TFX's Evaluator."""

    SPEC_CLASS = ModelEvaluatorSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        evaluation_config: EvaluationConfig,
    ) -> None:
        """Take encoded `examples` with a test split, the models and the `evaluation` section."""
        # The thresholds belong to the gate: a change to them evaluates nothing again.
        spec = ModelEvaluatorSpec(
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            evaluation_config=evaluation_config.model_dump_json(include={"batch_size"}),
            code_digest=code_digest(Executor.__module__, libraries=("scikit-learn", "tensorflow")),
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
        )
        super().__init__(spec=spec)
