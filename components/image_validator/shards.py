"""The shards of the examples, and the measures of each: what is there, and what has to be made."""

from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.image_validator import shard_measures
from components.image_validator.pictures import measures_path
from contracts.images.isolation.pool import DecodePool, DecodeWorker, WorkerDied
from contracts.images.isolation.worker import Call, Report
from contracts.system.atomic_files import link
from contracts.system.errors import ComponentError
from contracts.system.progress import report_progress

_MEASURE = f"{shard_measures.__name__}:{shard_measures.measure_shard.__name__}"
_PROGRESS_EVERY_S = 1.0


@dataclass(frozen=True)
class Shard:
    """A shard of examples, and where the measures of its images belong."""

    source: Path
    target: Path


def shards_of(examples_uri: str, report_uri: str) -> list[Shard]:
    """Return the shards of an artifact of examples, in order."""
    sources = sorted(Path(examples_uri).glob("Split-*/*"))
    return [
        Shard(source, measures_path(report_uri, source.parent.name, source.name))
        for source in sources
    ]


def link_measured(shards: Iterable[Shard], report_uri: str, made_by: str) -> list[Shard]:
    """Link the measures that an earlier report beside this one has; return the shards left."""
    folder = Path(report_uri)
    others = [other for other in sorted(folder.parent.iterdir()) if other != folder]
    left = []
    for shard in shards:
        places = [other / shard.target.relative_to(folder) for other in reversed(others)]
        same = (
            place for place in places if shard_measures.is_measured(shard.source, place, made_by)
        )
        found = next(same, None)
        if found is None:
            left.append(shard)
        else:
            link(found, shard.target)
    return left


def measure_shards(pool: DecodePool, shards: Sequence[Shard], made_by: str) -> None:
    """Measure shards at the same time, and tell how far that has come.

    Raises:
      ComponentError: a process died, or a shard is damaged.
      OSError: this machine is in trouble, e.g. the disk is full.
    """
    positions = dict.fromkeys((shard.source for shard in shards), 0)
    # Not by the processes: what an interrupted run has removed they would make again.
    for folder in {shard.target.parent for shard in shards}:
        folder.mkdir(parents=True, exist_ok=True)
    pending = {
        pool.submit(_measure, shard, made_by, partial(positions.__setitem__, shard.source))
        for shard in shards
    }
    while pending:
        done, pending = wait(pending, _PROGRESS_EVERY_S, FIRST_EXCEPTION)
        report_progress(
            sum(positions.values()), 0, "images", "measured", component="ImageValidator"
        )
        for future in done:
            future.result()


def _measure(worker: DecodeWorker, shard: Shard, made_by: str, on_position: Report) -> None:
    call = Call(_MEASURE, (shard.source, shard.target, made_by), is_careful=False)
    try:
        worker.call(call, on_position)
    except WorkerDied as death:
        raise ComponentError(
            f"ImageValidator: the process that measures {shard.source} ended ({death.cause}). "
            "If memory is short, lower beam.decode_processes."
        ) from death
    except ValueError as error:
        raise ComponentError(f"ImageValidator: {error} Remove the workspace's artifact.") from error
