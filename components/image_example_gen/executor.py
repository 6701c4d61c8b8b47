"""Takes a prepared ingestion or ingests on Beam; refuses images that are too few."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils

from components.image_example_gen.core import IngestionJob
from components.image_example_gen.ingestion import (
    IngestionTarget,
    decode_limits,
    ingest_dataset,
)
from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.prepared_ingestion import PreparedIngestion
from components.image_example_gen.refusal import reasons_to_refuse
from components.image_example_gen.shards import FileShard, stored_shards
from components.image_example_gen.stage import IngestShards
from contracts.artifacts import features
from contracts.artifacts.manifest.dataset import read_dataset
from contracts.config.beam import BeamConfig
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import open_pool
from contracts.system.errors import Refusal

# The property of TFX's own ExampleGen; without a property for the file format it is TFRecord.
PAYLOAD_FORMAT = ("payload_format", "FORMAT_TF_EXAMPLE")


class Executor(BaseBeamExecutor):
    """Image folder or CSV -> Examples and ImageManifest."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write examples and manifest; refuse images that cannot be trained on.

        Raises:
          Refusal: there are too few readable images; only the manifest is kept.
          DataError: the listed files cannot be trained on.
          ComponentError: decode processes keep dying.
        """
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        manifest = artifact_utils.get_single_instance(output_dict["manifest"])
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        examples.set_string_custom_property(*PAYLOAD_FORMAT)
        target = IngestionTarget(examples.uri, manifest.uri, exec_properties["data_listing"])
        prepared = exec_properties["prepared_ingestion"]
        if not (prepared and PreparedIngestion(Path(prepared)).move_to(target)):
            self._ingest(target, exec_properties)
        dataset = read_dataset(manifest.uri)
        for artifact in (examples, manifest):
            artifact.set_string_custom_property(features.FINGERPRINT_PROPERTY, dataset.fingerprint)
        reasons = reasons_to_refuse(dataset)
        if reasons:
            raise Refusal(reasons, {"manifest": output_dict["manifest"]})

    def _ingest(self, target: IngestionTarget, exec_properties: dict[str, Any]) -> None:
        """Ingest the images on Beam."""
        data = DataConfig.model_validate_json(exec_properties["data"])
        processes = BeamConfig.model_validate_json(exec_properties["beam"]).decode_processes
        processes = processes or len(os.sched_getaffinity(0))
        limits = decode_limits(data)

        def run(job: IngestionJob, shards: Iterable[FileShard], images: int) -> None:
            # Through files: Beam would keep all of them in memory.
            with stored_shards(shards, Path(target.manifest_uri)) as shard_files:
                ingest = IngestShards(job, processes, limits, images)
                with self._make_beam_pipeline() as pipeline:
                    _ = (
                        pipeline
                        | "Shards" >> beam.Create(shard_files)
                        | "Ingest" >> beam.ParDo(ingest)
                    )

        with open_pool(processes, limits) as pool:
            ingest_dataset(read_layout(data), data, pool, target, run)
