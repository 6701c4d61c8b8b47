"""The Beam stage that ingests the shards; images and rows do not pass through Beam."""

import apache_beam as beam

from components.image_example_gen.core import IngestionJob
from components.image_example_gen.ingestion import ingest_shards
from components.image_example_gen.shards import read_stored_shard
from contracts.images.isolation.pool import pool_of_this_process
from contracts.images.isolation.worker import DecodeLimits


class IngestShards(beam.DoFn):
    """Ingests all shards of a bundle at the same time."""

    def __init__(
        self, job: IngestionJob, processes: int, limits: DecodeLimits, images: int
    ) -> None:
        self._images = images
        self._job = job
        self._limits = limits
        self._processes = processes

    def start_bundle(self) -> None:
        self._shard_files: list[str] = []

    def process(self, shard_file: str) -> None:
        self._shard_files.append(shard_file)

    def finish_bundle(self) -> None:
        pool = pool_of_this_process(self._processes, self._limits)
        ingest_shards(pool, self._job, map(read_stored_shard, self._shard_files), self._images)
