"""What a recipe learns from few photos beside plain Keras."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.accuracy import our_accuracy, plain_accuracy
from bench.figures import Figure
from bench.parts.size import Size

POINTS_ASKED_FOR = 8.0


def measure(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield the 8 points that a recipe has to be above plain Keras, by how many it is."""
    data = Path(os.environ.get("IMGPIPE_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
    photos = data / "clothing-dev"
    if not photos.is_dir():
        sys.exit(f"bench: expected real photos in {photos}, set IMGPIPE_REAL_DATA to their folder.")
    folder = scratch / "work" / "accuracy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    points = []
    for seed in range(size.repetitions):
        plain = plain_accuracy(photos, size.minutes, seed, folder)
        ours = our_accuracy(photos, size.minutes, seed, folder)
        print(f"seed {seed}: ours {ours:.4f}, plain Keras {plain:.4f}", file=sys.stderr)
        points.append(100 * (ours - plain))
    mean = max(sum(points) / len(points), 0.01)
    name = f"points asked for / above plain Keras, clothes, {size.minutes:g} min"
    yield Figure(name, [POINTS_ASKED_FOR], [mean], "points", 1.0)
