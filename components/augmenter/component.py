"""The Augmenter component."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import AugmentationReport
from components.augmenter.executor import Executor
from contracts.cache_key.code_digest import code_digest
from contracts.cache_key.training_digest import augmentation_libraries
from contracts.config.augmentation.config import AugmentationConfig

# Libraries that the report and the copies depend on.
LIBRARIES = ("keras", "numpy", "pillow", "scipy", "tensorflow")


class AugmenterSpec(ComponentSpec):
    """Reads transformed examples; writes a report and further training examples."""

    PARAMETERS = {
        "augmentation": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {"transformed_examples": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {
        "report": ChannelParameter(type=AugmentationReport),
        "augmented_examples": ChannelParameter(type=standard_artifacts.Examples),
    }


class Augmenter(BaseComponent):
    """Draws the effect of augmentation, warns of harmful operations, fills up small classes."""

    SPEC_CLASS = AugmenterSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        transformed_examples: types.BaseChannel[types.Artifact],
        augmentation: AugmentationConfig,
        seed: int,
    ) -> None:
        """Take ImageTransform's output (type Examples) and the `augmentation` section."""
        libraries = (*LIBRARIES, *augmentation_libraries([augmentation]))
        spec = AugmenterSpec(
            transformed_examples=transformed_examples,
            augmentation=augmentation.model_dump_json(),
            seed=seed,
            code_digest=code_digest(Executor.__module__, libraries=libraries),
            report=types.Channel(type=AugmentationReport),
            augmented_examples=types.Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)
