"""The Beam stage that measures the shards; the measures are written to disk."""

from collections.abc import Iterable

import apache_beam as beam

from components.image_validator.measurement import UnmeasuredShard, measure_shards
from contracts.images.isolation.pool import pool_of_this_process
from contracts.images.isolation.worker import DecodeLimits

# The images are canonical: they have been decoded before.
DECODE_LIMITS = DecodeLimits(seconds=600.0, memory_bytes=8 << 30)


class MeasureShards(beam.DoFn):
    """Measures all shards of a bundle at the same time."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

    def start_bundle(self) -> None:
        self._shards: list[UnmeasuredShard] = []

    def process(self, shard: UnmeasuredShard) -> Iterable[None]:
        self._shards.append(shard)
        return ()

    def finish_bundle(self) -> None:
        measure_shards(pool_of_this_process(self._processes, DECODE_LIMITS), self._shards)
