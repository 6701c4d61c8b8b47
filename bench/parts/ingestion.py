"""The cost of ingestion."""

from collections.abc import Iterator
from pathlib import Path

from bench.contestants import run_ingestion
from bench.figures import CostRatio
from bench.images import PHOTO, SMALL
from bench.parts.sizes import BenchmarkSize
from bench.parts.workloads import workload_on


def measure(size: BenchmarkSize, scratch: Path) -> Iterator[CostRatio]:
    """Yield the cost of ingestion, compared with loops that read, decode and write the images."""
    for kind, count, limit in ((SMALL, size.small, 1 / 0.6), (PHOTO, size.many_photos, 1 / 0.8)):
        work = workload_on(kind, count, scratch)
        runs = [run_ingestion(work) for _ in range(size.repetitions)]
        many = f"{count:,} {'photos' if kind is PHOTO else 'small images'}"
        yield CostRatio(
            f"ingestion / bare loops, {many}",
            [run["ours"] for run in runs],
            [run["floor"] for run in runs],
            limit=limit,
        )
        yield CostRatio(
            f"cores idle while ingesting, {many}",
            [run["idle"] for run in runs],
            [1.0] * len(runs),
            "",
            0.15,
        )
