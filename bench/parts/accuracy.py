"""The accuracy of a recipe on few photos, compared with plain Keras."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.accuracy import our_accuracy, plain_accuracy
from bench.figures import CostRatio
from bench.parts.sizes import BenchmarkSize

POINTS_ASKED_FOR = 8.0


def measure(size: BenchmarkSize, scratch: Path) -> Iterator[CostRatio]:
    """Yield the ratio of the required to the measured lead over plain Keras, in points of accuracy.

    Both are trained at the same time, each on half of the cores, so that other load of the machine
    affects both.
    """
    data = Path(os.environ.get("IMGPIPE_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
    photos = data / "clothing-dev"
    if not photos.is_dir():
        sys.exit(f"bench: expected real photos in {photos}, set IMGPIPE_REAL_DATA to their folder.")
    folder = scratch / "work" / "accuracy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit(f"bench: expected 2 cores or more, one for each side, received {len(cores)}.")
    half = len(cores) // 2
    ours, plain = set(cores[:half]), set(cores[half : 2 * half])
    points = []
    for seed in range(size.repetitions):
        given = (photos, size.minutes, seed, folder)
        with ThreadPoolExecutor() as pool:
            sides = [
                pool.submit(_on, ours, our_accuracy, *given),
                pool.submit(_on, plain, plain_accuracy, *given),
            ]
        our, their = (side.result() for side in sides)
        print(f"seed {seed}: ours {our:.4f}, plain Keras {their:.4f}", file=sys.stderr)
        points.append(100 * (our - their))
    mean = max(sum(points) / len(points), 0.01)
    name = f"points asked for / above plain Keras, clothes, {size.minutes:g} min"
    yield CostRatio(name, [POINTS_ASKED_FOR], [mean], "points", 1.0)


def _on(
    cores: Set[int],
    accuracy: Callable[[Path, float, int, Path], float],
    *given: Any,
) -> float:
    """Call a function on these cores only; the processes of the thread inherit them."""
    os.sched_setaffinity(0, cores)
    return accuracy(*given)
