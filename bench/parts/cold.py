"""What a first run costs beside the peers' and single steps beside bare loops; runs after it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.contestants import Run, overheads, run_bare_loops, run_imgpipe, run_peer, walls
from bench.figures import Figure
from bench.images import SMALL
from bench.parts.size import Size
from bench.parts.works import beside, work_on


def measure(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield what a first run costs beside the peers', and what is repeated of it afterwards."""
    small = work_on(SMALL, size.small, scratch)
    ours, scripts, stocks, bare = [], [], [], []
    unchanged, changed = [], []
    for _ in range(size.repetitions):
        shutil.rmtree(small.folder, ignore_errors=True)
        ours.append(run_imgpipe(small))
        bare.append(run_bare_loops(small))
        unchanged.append(run_imgpipe(small))
        changed.append(run_imgpipe(small, "--set", "trainer.weight_decay=0.01"))
        scripts.append(run_peer("keras_script", beside(small, "script")))
        stocks.append(run_peer("stock_tfx", beside(small, "stock")))
    many = f"{size.small:,} small images"
    yield Figure(f"cold run / Keras script, {many}", walls(ours), walls(scripts), limit=1.5)
    yield Figure(f"overhead / stock TFX's, {many}", overheads(ours), overheads(stocks), limit=1 / 3)
    yield Figure("unchanged run / cold run", walls(unchanged), walls(ours))
    yield Figure(
        "changed model, besides imports and training / the same of a cold run",
        [_besides_imports(run) for run in changed],
        [_besides_imports(run) for run in ours],
    )
    for name, floor, limit in (
        ("ImageTransform", "transform", 2.0),
        ("ModelEvaluator", "evaluate", 3.0),
    ):
        yield Figure(
            f"{name} / bare loop, {many}",
            [run.component_s(name) for run in ours],
            [seconds[floor] for seconds in bare],
            limit=limit,
        )
    yield Figure(
        "export of the model / Keras's own",
        [seconds["our_export"] for seconds in bare],
        [seconds["export"] for seconds in bare],
    )


def _besides_imports(run: Run) -> float:
    return run.overhead_s - float(run.summary["seconds"]["start"])
