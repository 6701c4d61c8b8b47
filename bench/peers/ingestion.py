"""Ingestion, and bare loops that read, decode and write each image once on all cores.

Prints {"ours": seconds, "floor": seconds, "idle": share of the cores' time in ours} for a folder.
"""

import io
import json
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import psutil
from PIL import Image

from components.image_example_gen.ingestion import (
    IngestionTarget,
    decode_limits,
    ingest_dataset,
    ingest_shards,
)
from components.image_example_gen.listing.layout_reading import read_layout
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool

TASKS_A_CORE = 4


def floor(root: Path, target: Path, cores: int) -> float:
    """Return the seconds of the bare loops."""
    started_s = time.monotonic()
    files = sorted(root.rglob("*.jpg"))
    tasks = [files[first :: TASKS_A_CORE * cores] for first in range(TASKS_A_CORE * cores)]
    target.mkdir(parents=True)
    with ProcessPoolExecutor(cores) as processes:
        list(processes.map(_copy, tasks, [target / str(number) for number in range(len(tasks))]))
    return time.monotonic() - started_s


def _copy(files: list[Path], target: Path) -> None:
    with target.open("wb") as shard:
        for path in files:
            raw = path.read_bytes()
            Image.open(io.BytesIO(raw)).load()
            shard.write(raw)


def ours(root: Path, target: Path, cores: int) -> tuple[float, float]:
    """Return the seconds of an ingestion, and the idle share of the cores."""
    process = psutil.Process()
    before_s, started_s = _cpu_seconds(process), time.monotonic()
    data = DataConfig(root=root)
    pool = DecodePool(cores, decode_limits(data))
    run = partial(ingest_shards, pool)
    places = IngestionTarget(str(target / "examples"), str(target / "manifest"), "")
    ingest_dataset(read_layout(data), data, pool, places, run)
    seconds = time.monotonic() - started_s
    busy = (_cpu_seconds(process) - before_s) / (seconds * cores)
    pool.close()
    return seconds, max(0.0, 1 - busy)


def _cpu_seconds(process: psutil.Process) -> float:
    times = [one.cpu_times() for one in (process, *process.children())]
    return float(sum(one.user + one.system for one in times))


def main(root: Path, scratch: Path) -> None:
    """Measure both on the same files."""
    cores = len(os.sched_getaffinity(0))
    shutil.rmtree(scratch, ignore_errors=True)
    seconds, idle = ours(root, scratch / "ours", cores)
    print(
        json.dumps({"ours": seconds, "floor": floor(root, scratch / "floor", cores), "idle": idle})
    )
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
