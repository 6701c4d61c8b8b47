"""What a first run on photos costs."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.contestants import overheads, run_imgpipe, run_peer
from bench.figures import Figure
from bench.images import PHOTO
from bench.parts.size import Size
from bench.parts.works import beside, work_on


def measure(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield what a first run on photos costs beside stock TFX."""
    work = replace(work_on(PHOTO, size.photos, scratch), size_px=96)
    ours, stocks = [], []
    for _ in range(size.repetitions):
        shutil.rmtree(work.folder, ignore_errors=True)
        ours.append(run_imgpipe(work))
        stocks.append(run_peer("stock_tfx", beside(work, "stock")))
    name = f"overhead / stock TFX's, {size.photos:,} photos"
    yield Figure(name, overheads(ours), overheads(stocks), limit=0.5)
