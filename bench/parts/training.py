"""The cost of training, compared with a bare fit, and of the Trainer besides fitting."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.contestants import run_fitting, run_imgpipe
from bench.figures import CostRatio
from bench.images import SMALL
from bench.parts.sizes import BenchmarkSize
from bench.parts.workloads import workload_on


def measure(size: BenchmarkSize, scratch: Path) -> Iterator[CostRatio]:
    """Yield the cost of training compared with `model.fit`, and of the Trainer besides fitting."""
    work = workload_on(SMALL, size.small, scratch)
    shutil.rmtree(work.folder, ignore_errors=True)
    run = run_imgpipe(work)
    besides_fitting_s = run.component_s("Trainer") - run.training_s
    found: dict[str, list[dict[str, float]]] = {"ours": [], "bare": [], "without_data": []}
    for _ in range(size.repetitions):
        for name, runs in found.items():
            runs.append(run_fitting(work, name))
    many = f"{size.small:,} small images"
    step_us = {name: [run["step"] for run in runs] for name, runs in found.items()}
    waiting_us = [run["waiting"] for run in found["ours"]]
    for name, ours, other, limit in (
        ("training / bare fit in memory", step_us["ours"], step_us["bare"], 1 / 0.95),
        ("waiting for data / training", waiting_us, step_us["ours"], 0.05),
        ("training / the same without data", step_us["ours"], step_us["without_data"], None),
    ):
        yield CostRatio(f"{name}, {many}", ours, other, "us an image", limit)
    yield CostRatio(f"Trainer besides fitting, {many}", [besides_fitting_s], [1.0], "s", 10.0)
