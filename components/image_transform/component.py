"""The ImageTransform component."""

from tfx import types
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.image_transform.executor import Executor
from contracts.cache_key.code_digest import code_digest
from contracts.config.preprocessing import PreprocessingConfig


class ImageTransformSpec(ComponentSpec):
    """Reads encoded examples; writes examples of pixels."""

    PARAMETERS = {
        "preprocessing": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {"transformed_examples": ChannelParameter(type=standard_artifacts.Examples)}


class ImageTransform(BaseBeamComponent):
    """Decodes and resizes every image once, so that no epoch has to do it again."""

    SPEC_CLASS = ImageTransformSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self, examples: types.BaseChannel[types.Artifact], preprocessing: PreprocessingConfig
    ) -> None:
        """Take `examples` (type Examples, with labels.json) and the `preprocessing` section."""
        spec = ImageTransformSpec(
            examples=examples,
            preprocessing=preprocessing.model_dump_json(),
            code_digest=code_digest(Executor.__module__, libraries=("tensorflow",)),
            transformed_examples=types.Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)
