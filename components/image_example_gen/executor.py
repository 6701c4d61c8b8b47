"""Ingests the shards on Beam; the images themselves stay in the decode processes."""

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
    ingest_dataset,
    ingest_shards,
    limits_of,
)
from components.image_example_gen.listing.layout import read_layout
from components.image_example_gen.prepared_ingestion import PreparedIngestion
from components.image_example_gen.refusal import reasons_to_refuse
from components.image_example_gen.shards import FileShard, read_stored_shard, stored_shards
from contracts.artifacts import features
from contracts.artifacts.manifest.dataset import read_dataset
from contracts.config.beam import BeamConfig
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import open_pool, pool_of_this_process
from contracts.images.isolation.worker import DecodeLimits
from contracts.system.errors import Refusal

# As TFX's own ExampleGen notes it; an absent note on the file format means TFRecord.
PAYLOAD_FORMAT = ("payload_format", "FORMAT_TF_EXAMPLE")


class Executor(BaseBeamExecutor):
    """Image folder or CSV -> Examples and ImageManifest."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write examples and manifest, then refuse images that cannot be trained on.

        Raises:
          Refusal: there are too few readable images; only the manifest is kept.
          DataError: the listed files cannot be trained on.
          ComponentError: decode processes keep dying.
        """
        data = DataConfig.model_validate_json(exec_properties["data"])
        processes = BeamConfig.model_validate_json(exec_properties["beam"]).decode_processes
        processes = processes or len(os.sched_getaffinity(0))
        limits = limits_of(data)
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        manifest = artifact_utils.get_single_instance(output_dict["manifest"])
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        examples.set_string_custom_property(*PAYLOAD_FORMAT)

        def run(job: IngestionJob, shards: Iterable[FileShard], images: int) -> None:
            # Through files: Beam would keep all of them in memory.
            with stored_shards(shards, Path(manifest.uri)) as plans:
                ingest = _IngestShards(job, processes, limits, images)
                with self._make_beam_pipeline() as pipeline:
                    _ = pipeline | "Shards" >> beam.Create(plans) | "Ingest" >> beam.ParDo(ingest)

        target = IngestionTarget(examples.uri, manifest.uri, exec_properties["data_listing"])
        prepared = exec_properties["prepared_ingestion"]
        if not (prepared and PreparedIngestion(Path(prepared)).move_to(target)):
            with open_pool(processes, limits) as pool:
                ingest_dataset(read_layout(data), data, pool, target, run)
        dataset = read_dataset(manifest.uri)
        for artifact in (examples, manifest):
            artifact.set_string_custom_property(features.FINGERPRINT_PROPERTY, dataset.fingerprint)
        reasons = reasons_to_refuse(dataset)
        if reasons:
            raise Refusal(reasons, {"manifest": output_dict["manifest"]})


class _IngestShards(beam.DoFn):
    """Ingests all shards of a bundle at the same time; what comes of it lies on disk."""

    def __init__(
        self, job: IngestionJob, processes: int, limits: DecodeLimits, images: int
    ) -> None:
        self._images = images
        self._job = job
        self._limits = limits
        self._processes = processes

    def start_bundle(self) -> None:
        self._plans: list[str] = []

    def process(self, plan: str) -> None:
        self._plans.append(plan)

    def finish_bundle(self) -> None:
        pool = pool_of_this_process(self._processes, self._limits)
        ingest_shards(pool, self._job, map(read_stored_shard, self._plans), self._images)
