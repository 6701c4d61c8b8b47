"""The cost of a first run on photos."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.contestants import overhead_seconds, run_imgpipe, run_peer
from bench.figures import CostRatio
from bench.images import PHOTO
from bench.parts.sizes import BenchmarkSize
from bench.parts.workloads import peer_workload, workload_on


def measure(size: BenchmarkSize, scratch: Path) -> Iterator[CostRatio]:
    """Yield the cost of a first run on photos, compared with stock TFX."""
    work = replace(workload_on(PHOTO, size.photos, scratch), size_px=96)
    ours, stocks = [], []
    for _ in range(size.repetitions):
        shutil.rmtree(work.folder, ignore_errors=True)
        ours.append(run_imgpipe(work))
        stocks.append(run_peer("stock_tfx", peer_workload(work, "stock")))
    name = f"overhead / stock TFX's, {size.photos:,} photos"
    yield CostRatio(name, overhead_seconds(ours), overhead_seconds(stocks), limit=0.5)
