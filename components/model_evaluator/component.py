"""The ModelEvaluator component."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.model_evaluator.executor import Executor
from contracts.cache_key.code_digest import code_digest


class ModelEvaluatorSpec(ComponentSpec):
    """Reads test images, candidate and champion; writes an evaluation."""

    PARAMETERS = {
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {"evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation)}


class ModelEvaluator(BaseComponent):
    """Evaluates candidate and champion on the same images; replaces TFX's Evaluator."""

    SPEC_CLASS = ModelEvaluatorSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel[types.Artifact],
        model: types.BaseChannel[types.Artifact],
        baseline_model: types.BaseChannel[types.Artifact],
    ) -> None:
        """Take encoded `examples` with a test split and the models.

        The section `evaluation` belongs to the gate: a changed limit evaluates nothing again.
        """
        spec = ModelEvaluatorSpec(
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            code_digest=code_digest(Executor.__module__, libraries=("scikit-learn", "tensorflow")),
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
        )
        super().__init__(spec=spec)
