"""The cost of a first run, compared with the peers, and of single components and later runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.contestants import (
    MeasuredRun,
    overhead_seconds,
    run_bare_loops,
    run_imgpipe,
    run_peer,
    wall_seconds,
)
from bench.figures import CostRatio
from bench.images import SMALL
from bench.parts.sizes import BenchmarkSize
from bench.parts.workloads import peer_workload, workload_on


def measure(size: BenchmarkSize, scratch: Path) -> Iterator[CostRatio]:
    """Yield the cost of a first run compared with the peers, and of runs after it."""
    small = workload_on(SMALL, size.small, scratch)
    ours, scripts, stocks, bare = [], [], [], []
    unchanged, changed = [], []
    for _ in range(size.repetitions):
        shutil.rmtree(small.folder, ignore_errors=True)
        ours.append(run_imgpipe(small))
        bare.append(run_bare_loops(small))
        unchanged.append(run_imgpipe(small))
        changed.append(run_imgpipe(small, "--set", "trainer.weight_decay=0.01"))
        scripts.append(run_peer("keras_script", peer_workload(small, "script")))
        stocks.append(run_peer("stock_tfx", peer_workload(small, "stock")))
    many = f"{size.small:,} small images"
    yield CostRatio(
        f"cold run / Keras script, {many}", wall_seconds(ours), wall_seconds(scripts), limit=1.5
    )
    yield CostRatio(
        f"overhead / stock TFX's, {many}",
        overhead_seconds(ours),
        overhead_seconds(stocks),
        limit=1 / 3,
    )
    yield CostRatio("unchanged run / cold run", wall_seconds(unchanged), wall_seconds(ours))
    yield CostRatio(
        "changed model, besides imports and training / the same of a cold run",
        [_besides_imports(run) for run in changed],
        [_besides_imports(run) for run in ours],
    )
    yield from _components(ours, bare, many)


def _components(
    ours: list[MeasuredRun], bare: list[dict[str, float]], many: str
) -> Iterator[CostRatio]:
    """Yield the cost of single components, compared with bare loops."""
    for name, floor, limit in (
        ("ImageTransform", "transform", 2.0),
        ("ModelEvaluator", "evaluate", 3.0),
    ):
        yield CostRatio(
            f"{name} / bare loop, {many}",
            [run.component_s(name) for run in ours],
            [seconds[floor] for seconds in bare],
            limit=limit,
        )
    yield CostRatio(
        "export of the model / Keras's own",
        [seconds["our_export"] for seconds in bare],
        [seconds["export"] for seconds in bare],
    )


def _besides_imports(run: MeasuredRun) -> float:
    return run.overhead_s - float(run.summary["seconds"]["start"])
