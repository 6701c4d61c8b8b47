"""Measures the shards of the examples in decode processes, several at the same time."""

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.image_validator import shard_measures
from contracts.images.isolation.pool import DecodePool, DecodeWorker, WorkerDied
from contracts.images.isolation.worker import DecodeCall, PositionReport
from contracts.system.errors import ComponentError
from contracts.system.progress import report_progress

_MEASURE = f"{shard_measures.__name__}:{shard_measures.measure_shard.__name__}"
_PROGRESS_EVERY_S = 1.0


@dataclass(frozen=True)
class UnmeasuredShard:
    """A shard of examples, and the file that its measures are written to."""

    examples: Path
    measures: Path


def measure_shards(pool: DecodePool, shards: Sequence[UnmeasuredShard]) -> None:
    """Measure shards at the same time, and report the progress.

    Raises:
      ComponentError: a process died, or a shard is damaged.
      OSError: this machine is in trouble, e.g. the disk is full.
    """
    positions = dict.fromkeys((shard.examples for shard in shards), 0)
    # The processes do not make folders: after an interruption they would make removed ones again.
    for folder in {shard.measures.parent for shard in shards}:
        folder.mkdir(parents=True, exist_ok=True)
    pending = {
        pool.submit(_measure, shard, partial(positions.__setitem__, shard.examples))
        for shard in shards
    }
    while pending:
        done, pending = wait(pending, _PROGRESS_EVERY_S, FIRST_EXCEPTION)
        report_progress(
            sum(positions.values()), 0, "images", "measured", component="ImageValidator"
        )
        for future in done:
            future.result()


def _measure(worker: DecodeWorker, shard: UnmeasuredShard, on_position: PositionReport) -> None:
    call = DecodeCall(_MEASURE, (shard.examples, shard.measures), reports_every_position=False)
    try:
        worker.call(call, on_position)
    except WorkerDied as death:
        raise ComponentError(
            f"ImageValidator: the process that measures {shard.examples} ended ({death.cause}). "
            "If memory is short, lower beam.decode_processes."
        ) from death
    except ValueError as error:
        raise ComponentError(f"ImageValidator: {error} Remove the workspace's artifact.") from error
