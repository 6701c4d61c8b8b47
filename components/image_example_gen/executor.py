"""Ingests the shards on Beam; the images themselves stay in the decode processes."""

import os
import pickle
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils

from components.image_example_gen import isolation
from components.image_example_gen.core import Job
from components.image_example_gen.decode_pool import pool_of_this_process
from components.image_example_gen.ingestion import Target, ingest_dataset
from components.image_example_gen.shards import Shard
from contracts import features, progress
from contracts.config import BeamConfig, DataConfig

# As TFX's own ExampleGen notes it; an absent note on the file format means TFRecord.
PAYLOAD_FORMAT = ("payload_format", "FORMAT_TF_EXAMPLE")

_PROGRESS_EVERY_S = 1.0


class Executor(BaseBeamExecutor):
    """Image folder or CSV -> Examples and ImageManifest."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write examples and manifest, or nothing.

        Raises:
          DataError: the images cannot be trained on.
          ComponentError: decode processes keep dying.
        """
        data = DataConfig.model_validate_json(exec_properties["data"])
        processes = BeamConfig.model_validate_json(exec_properties["beam"]).decode_processes
        processes = processes or len(os.sched_getaffinity(0))
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        manifest = artifact_utils.get_single_instance(output_dict["manifest"])
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        examples.set_string_custom_property(*PAYLOAD_FORMAT)

        def run(job: Job, shards: Sequence[Shard]) -> None:
            images = sum(len(shard.files) for shard in shards)
            # As bytes: Beam would take long to find out what they are made of.
            pickled = [pickle.dumps(shard) for shard in shards]
            ingest = _IngestShards(job, images, processes)
            with self._make_beam_pipeline() as pipeline:
                _ = pipeline | "Shards" >> beam.Create(pickled) | "Ingest" >> beam.ParDo(ingest)

        target = Target(examples.uri, manifest.uri, exec_properties["data_fingerprint"])
        ingest_dataset(data, processes, target, run)


class _IngestShards(beam.DoFn):
    """Ingests all shards of a bundle at the same time; what comes of it lies on disk."""

    def __init__(self, job: Job, images: int, processes: int) -> None:
        self._job = job
        self._images = images
        self._processes = processes

    def start_bundle(self) -> None:
        self._futures: list[Future[None]] = []
        self._positions: dict[int, int] = {}

    def process(self, pickled: bytes) -> None:
        shard: Shard = pickle.loads(pickled)
        self._positions[shard.index] = 0

        def note(position: int) -> None:
            self._positions[shard.index] = position

        pool = pool_of_this_process(self._processes)
        self._futures.append(pool.submit(isolation.ingest_shard, self._job, shard, note))

    def finish_bundle(self) -> None:
        pending = set(self._futures)
        while pending:
            done, pending = wait(pending, _PROGRESS_EVERY_S, FIRST_EXCEPTION)
            progress.report(sum(self._positions.values()), self._images, "images")
            for future in done:
                future.result()
