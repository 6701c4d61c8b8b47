"""The ImageExampleGen component."""

from tfx import types
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ImageManifest
from components.image_example_gen.executor import Executor
from components.image_example_gen.ingestion import LIBRARIES, settings_json
from contracts.cache_key.code_digest import code_digest
from contracts.config.beam import BeamConfig
from contracts.config.data import DataConfig


class ImageExampleGenSpec(ComponentSpec):
    """Reads images outside of the pipeline; writes examples and a manifest of all files."""

    PARAMETERS = {
        "data": ExecutionParameter(type=str),
        "beam": ExecutionParameter(type=str),
        "data_listing": ExecutionParameter(type=str),
        "prepared_ingestion": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {}
    OUTPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "manifest": ChannelParameter(type=ImageManifest),
    }


class ImageExampleGen(BaseBeamComponent):
    """Ingests an image folder or CSV; replaces TFX's ExampleGen, which reads no images."""

    SPEC_CLASS = ImageExampleGenSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self, data: DataConfig, beam: BeamConfig, data_listing: str, prepared_ingestion: str = ""
    ) -> None:
        """Take the sections `data` and `beam`.

        Args:
          data: the section with the root of the images and the rules of reading and splitting them.
          beam: the number of decode processes; the runner changes no example.
          data_listing: the digest of the images' listing (`listing.digest.listing_digest`). It is
            part of the cache key, so that a changed image is ingested again.
          prepared_ingestion: a folder that may hold an ingestion of this listing
            (`prepared_ingestion.PreparedIngestion`); empty: there is none.
        """
        spec = ImageExampleGenSpec(
            data=settings_json(data),
            beam=beam.model_dump_json(include={"decode_processes"}),
            data_listing=data_listing,
            prepared_ingestion=prepared_ingestion,
            code_digest=code_digest(Executor.__module__, libraries=LIBRARIES),
            examples=types.Channel(type=standard_artifacts.Examples),
            manifest=types.Channel(type=ImageManifest),
        )
        super().__init__(spec=spec)
