"""What training costs beside a bare fit, and what stands around it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.contestants import run_fitting, run_imgpipe
from bench.figures import Figure
from bench.images import SMALL
from bench.parts.size import Size
from bench.parts.works import work_on


def measure(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield what the training costs beside a bare `model.fit`, and what TFX puts around it."""
    work = work_on(SMALL, size.small, scratch)
    shutil.rmtree(work.folder, ignore_errors=True)
    run = run_imgpipe(work)
    around_s = run.component_s("Trainer") - run.training_s
    paces: dict[str, list[float]] = {name: [] for name in ("ours", "bare", "without_data")}
    for _ in range(size.repetitions):
        for name, found in paces.items():
            found.append(run_fitting(work, name))
    many = f"{size.small:,} small images"
    ms = {name: [1000 / pace for pace in found] for name, found in paces.items()}
    yield Figure(
        f"training / bare fit in memory, {many}", ms["ours"], ms["bare"], "ms an image", 1 / 0.95
    )
    yield Figure(
        f"training / the same without data, {many}",
        ms["ours"],
        ms["without_data"],
        "ms an image",
        1 / 0.95,
    )
    yield Figure(f"Trainer besides fitting, {many}", [around_s], [1.0], "s", 10.0)
