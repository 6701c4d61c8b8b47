"""The ImageValidator component."""

from tfx import types
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import DataBlessing, ImageDataReport, ImageManifest
from components.image_validator.executor import Executor
from contracts.cache_key.code_digest import code_digest
from contracts.config.beam import BeamConfig
from contracts.config.validation import ValidationConfig
from contracts.environment.optional_libraries import installed

# Libraries that the report depends on.
LIBRARIES = (
    *("cleanvision", "numpy", "pillow", "pyarrow", "scikit-learn", "scipy"),
    "tensorflow-data-validation",
    *installed("cleanlab"),
)


class ImageValidatorSpec(ComponentSpec):
    """Reads examples, manifest, statistics and anomalies; writes a report and a blessing."""

    PARAMETERS = {
        "validation": ExecutionParameter(type=str),
        "beam": ExecutionParameter(type=str),
        "accepted_statistics": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "manifest": ChannelParameter(type=ImageManifest),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
    }
    OUTPUTS = {
        "report": ChannelParameter(type=ImageDataReport),
        "blessing": ChannelParameter(type=DataBlessing),
    }


class ImageValidator(BaseBeamComponent):
    """Checks every image; the anomalies of TFX's ExampleValidator are part of the report."""

    SPEC_CLASS = ImageValidatorSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self,
        inputs: dict[str, types.BaseChannel[types.Artifact]],
        validation: ValidationConfig,
        beam: BeamConfig,
        accepted_statistics: str,
        seed: int,
    ) -> None:
        """Take the channels by the names of the spec's inputs, and two sections of the config.

        `accepted_statistics` is the folder of the statistics of the last accepted data other than
        this; empty where there is none.
        """
        spec = ImageValidatorSpec(
            **inputs,
            validation=validation.model_dump_json(),
            beam=beam.model_dump_json(include={"decode_processes"}),
            accepted_statistics=accepted_statistics,
            seed=seed,
            code_digest=code_digest(Executor.__module__, libraries=LIBRARIES),
            report=types.Channel(type=ImageDataReport),
            blessing=types.Channel(type=DataBlessing),
        )
        super().__init__(spec=spec)
