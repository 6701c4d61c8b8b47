"""The growth of time and memory with the images."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.contestants import run_imgpipe, wall_seconds
from bench.figures import CostRatio
from bench.images import SMALL, add_images
from bench.parts.sizes import BenchmarkSize
from bench.parts.workloads import workload_on
from bench.peers.workload import Workload

INCREMENT = 100  # one image in so many is new
TRAINING_AND_LATER = ("Trainer", "ChampionResolver", "ModelEvaluator", "ModelGate", "ModelPusher")


def measure(size: BenchmarkSize, scratch: Path) -> Iterator[CostRatio]:
    """Yield the growth of time and memory with the images, and the cost of 1 % more images."""
    works = [_growing(count, scratch) for count in size.growth]
    runs = [run_imgpipe(work) for work in works]
    _, some, many = size.growth
    peaks = [run.usage.peak_mib for run in runs]
    name = f"peak memory, {many:,} / {some:,} images"
    yield CostRatio(name, [peaks[2]], [peaks[1]], "MiB", 1.2)
    seconds = wall_seconds(runs)
    for more, fewer in ((1, 0), (2, 1)):
        yield CostRatio(
            f"time an image, {size.growth[more]:,} / {size.growth[fewer]:,} images",
            [1000 * seconds[more] / size.growth[more]],
            [1000 * seconds[fewer] / size.growth[fewer]],
            "ms",
            1.0,
        )
    numbers = range(many, many + many // INCREMENT)
    grown, alone = works[2], _growing(0, scratch)
    for work in (grown, alone):
        add_images(SMALL, numbers, work.images)
    incremental, new = (run_imgpipe(work, "--to", "ImageTransform") for work in (grown, alone))
    yield CostRatio(
        "up to training, 1 % more images / all images",
        [incremental.usage.seconds],
        [seconds[2] - sum(map(runs[2].component_s, TRAINING_AND_LATER))],
    )
    yield CostRatio(
        "up to training, 1 % more images / these alone",
        [incremental.usage.seconds],
        [new.usage.seconds],
        limit=2.0,
    )


def _growing(count: int, scratch: Path) -> Workload:
    """Return a workload with an image folder of its own, to which more can be added."""
    work = replace(workload_on(SMALL, count, scratch), epochs=1)
    shutil.rmtree(work.folder, ignore_errors=True)
    own = work.folder / "images"
    if count:
        shutil.copytree(work.images, own, copy_function=os.link)
    return replace(work, images=own)
