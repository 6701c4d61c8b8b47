"""The ModelPusher component."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ImageManifest
from components.model_pusher.executor import Executor
from contracts.cache_key.code_digest import code_digest
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.tracking import TrackingStore

# The sections that a model depends on; the machine and the tracking are not among them.
LINEAGE_SECTIONS = {"seed", "data", "preprocessing", "augmentation", "trainer", "evaluation"}


class ModelPusherSpec(ComponentSpec):
    """Reads a blessed model and its lineage; writes a pushed model."""

    PARAMETERS = {
        "destination": ExecutionParameter(type=str),
        "store": ExecutionParameter(type=str),
        "config": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
        "manifest": ChannelParameter(type=ImageManifest),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }
    OUTPUTS = {"pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)}


class ModelPusher(BaseComponent):
    """Pushes and registers a blessed model; replaces TFX's Pusher."""

    SPEC_CLASS = ModelPusherSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        inputs: dict[str, types.BaseChannel[types.Artifact]],
        destination: str,
        store: TrackingStore,
        config: PipelineConfig,
    ) -> None:
        """Take the channels of the spec by name, the serving folder, registry and config."""
        spec = ModelPusherSpec(
            **inputs,
            destination=destination,
            store=store.model_dump_json(),
            config=config.model_dump_json(include=LINEAGE_SECTIONS),
            code_digest=code_digest(Executor.__module__),
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        super().__init__(spec=spec)
