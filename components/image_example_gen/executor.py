"""Ingests the shards on Beam; the images themselves stay in the decode processes."""

import os
import pickle
import shutil
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils

from components.image_example_gen import core, ingestion, isolation
from components.image_example_gen.core import Job
from components.image_example_gen.decode_pool import pool_of_this_process
from components.image_example_gen.layout import read_layout, require_trainable
from components.image_example_gen.manifest import sum_up
from components.image_example_gen.shards import Shard, plan_shards
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
        try:
            layout = read_layout(data)
            require_trainable(layout, data)
            pool = pool_of_this_process(processes)
            cut = ingestion.cut_splits(pool, layout, data.splits.model_dump())
            shards = plan_shards(layout.root, layout.files, data.shard_size_mib << 20, processes)
            job = Job(layout.root, examples.uri, manifest.uri, cut, len(shards))
            self._ingest(job, shards, processes)
            core.write_labels(examples.uri, layout.labels)
            core.write_skipped(manifest.uri, layout.skipped)
            dataset = sum_up(manifest.uri, layout, exec_properties["data_fingerprint"])
            dataset.write(manifest.uri)
            ingestion.require_ingested(dataset, layout.root)
        except BaseException:
            _empty(examples.uri)
            _empty(manifest.uri)
            raise
        finally:
            pool_of_this_process(processes).close()
            pool_of_this_process.cache_clear()

    def _ingest(self, job: Job, shards: Sequence[Shard], processes: int) -> None:
        images = sum(len(shard.files) for shard in shards)
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                # As bytes: Beam would take long to find out what they are made of.
                | "Shards" >> beam.Create([pickle.dumps(shard) for shard in shards])
                | "Ingest" >> beam.ParDo(_IngestShards(job, images, processes))
            )


def _empty(uri: str) -> None:
    """Remove all that stands in a folder; the folder is TFX's."""
    for entry in Path(uri).iterdir() if Path(uri).is_dir() else ():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink()


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
