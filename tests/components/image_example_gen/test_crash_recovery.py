import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from components.image_example_gen import crash_recovery
from components.image_example_gen.core import IngestionJob
from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.shards import FileShard
from components.image_example_gen.splitting.splits import SplitPlan
from contracts.artifacts.manifest.rows import read_rows, write_part
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool, DecodeWorker, WorkerDied
from contracts.images.isolation.worker import DecodeCall, DecodeLimits
from contracts.images.reading import DEFAULT_READING
from contracts.system.errors import ComponentError
from tests.components.image_example_gen.conftest import job_of, whole_shard

LIMITS = DecodeLimits(seconds=1.0, memory_bytes=1 << 28)
CUT = SplitPlan({"train": 0.8, "test": 0.2})

DEADLY = """
import ctypes, os, signal
from components.image_example_gen import core
from components.image_example_gen.reading import image_file

read = image_file.canonicalise
libc = ctypes.PyDLL(None)

def read_or_die(raw, reading):
    if raw.endswith(b"deadly"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if raw.endswith(b"endless"):
        libc.pause()  # as in C code that does not ask Python
    if raw.endswith(b"greedy"):
        raw = b"P6 9400 9400 255 " + bytes(100)
    return read(raw, reading)

image_file.canonicalise = read_or_die
ingest, read_digests = core.ingest, core.read_digests

def die(*arguments):
    os._exit(3)

def fail(*arguments):
    raise RuntimeError("of its own")

def fail_oddly(*arguments):
    class Local(Exception):
        pass
    raise Local("cannot be pickled")

def write_noise(report):
    os.write(1, b"libtiff says so")
    print("noise")
    return 42
"""


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module for decode processes in which images that end in "deadly" crash them."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "deadly_decoder.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    monkeypatch.setattr(crash_recovery, "_INGEST", "deadly_decoder:ingest")
    monkeypatch.setattr(crash_recovery, "_READ_DIGESTS", "deadly_decoder:read_digests")
    return "deadly_decoder"


@pytest.fixture
def worker() -> Iterator[DecodeWorker]:
    worker = DecodeWorker(LIMITS)
    yield worker
    worker.close()


def ingest(
    worker: DecodeWorker,
    job: IngestionJob,
    shard: FileShard,
    on_position: Callable[[int], None] = id,
) -> None:
    suffix = crash_recovery.ingest_shard(worker, job, shard, on_position)
    write_part(job.manifest_uri, shard.part, suffix)


def statuses(job: IngestionJob) -> dict[str, str]:
    rows = read_rows(job.manifest_uri).to_pylist()
    return {row["path"]: row["reason"] or row["status"] for row in rows}


def test_an_image_that_crashes_its_process_is_left_out_alone(
    deadly: str, image_folder: Path, tmp_path: Path
) -> None:
    victims = {"cat/010.jpg", "dog/033.jpg"}
    for victim in victims:
        with (image_folder / victim).open("ab") as file:
            file.write(b"deadly")
    layout = read_layout(DataConfig(root=image_folder))
    job = job_of(layout, tmp_path, CUT)
    worker = DecodeWorker(LIMITS)
    ingest(worker, job, whole_shard(layout))
    found = statuses(job)
    assert {path for path, status in found.items() if status == "crashes_decoder"} == victims
    assert sum(status == "ingested" for status in found.values()) == 78
    assert not list(tmp_path.rglob(".*"))
    files = [file for file in layout.files if file.path in {*victims, "cat/000.jpg"}]
    digests = crash_recovery.read_digests(worker, layout.root, files, DEFAULT_READING, True)
    assert [digest is None for digest in digests] == [False, True, True]
    worker.close()


def test_images_that_hang_or_take_all_memory_are_left_out_alone(
    deadly: str, image_folder: Path, tmp_path: Path, worker: DecodeWorker
) -> None:
    victims = {"cat/002.jpg": b"endless", "cat/004.jpg": b"greedy", "dog/021.jpg": b"endless"}
    victims |= {f"dog/{number:03}.jpg": b"deadly" for number in range(41, 53, 2)}
    for victim, end in victims.items():
        with (image_folder / victim).open("ab") as file:
            file.write(end)
    layout = read_layout(DataConfig(root=image_folder))
    job = job_of(layout, tmp_path, CUT)
    started_s = time.monotonic()
    ingest(worker, job, whole_shard(layout))
    reasons = {b"endless": "too_slow", b"greedy": "out_of_memory", b"deadly": "crashes_decoder"}
    expected = {path: reasons[end] for path, end in victims.items()}
    found = statuses(job)
    assert {path: status for path, status in found.items() if status != "ingested"} == expected
    assert len(found) == 80
    assert time.monotonic() - started_s < 60


def test_a_killed_process_costs_nothing_but_time(
    image_folder: Path, tmp_path: Path, worker: DecodeWorker
) -> None:
    layout = read_layout(DataConfig(root=image_folder))
    job = job_of(layout, tmp_path, CUT)
    killed: list[int] = []

    def kill_once(position: int) -> None:
        if not killed:
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    ingest(worker, job, whole_shard(layout), kill_once)
    assert killed and killed != [worker.pid]
    assert set(statuses(job).values()) == {"ingested"}


def test_processes_that_keep_dying_end_the_run(
    deadly: str,
    image_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crash_recovery, "_INGEST", f"{deadly}:die")
    layout = read_layout(DataConfig(root=image_folder))
    job = job_of(layout, tmp_path, CUT)
    worker = DecodeWorker(LIMITS)
    with pytest.raises(ComponentError, match=r"shard 0: .* 3 times \(ended with exit code 3"):
        crash_recovery.ingest_shard(worker, job, whole_shard(layout), lambda position: None)
    worker.close()


def test_errors_come_back_as_they_were(deadly: str) -> None:
    worker = DecodeWorker(LIMITS)

    def call(function: str) -> object:
        return worker.call(DecodeCall(f"{deadly}:{function}", (), False), lambda position: None)

    with pytest.raises(RuntimeError, match="of its own"):
        call("fail")
    with pytest.raises(RuntimeError, match="cannot be pickled"):
        call("fail_oddly")
    with pytest.raises(WorkerDied, match="exit code 3"):
        call("die")
    assert call("write_noise") == 42
    worker.close()


def test_a_process_that_cannot_start_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    worker = DecodeWorker(LIMITS)
    with pytest.raises(ComponentError, match=r"did not start .*exit code 1"):
        worker.call(DecodeCall("os:getpid", (), False), lambda position: None)
    worker.close()


def test_a_closed_pool_leaves_no_process(image_folder: Path) -> None:
    pool = DecodePool(2, LIMITS)
    layout = read_layout(DataConfig(root=image_folder))
    futures = [
        pool.submit(
            crash_recovery.read_digests, layout.root, list(layout.files), DEFAULT_READING, True
        )
        for _ in range(4)
    ]
    assert len({tuple(future.result()) for future in futures}) == 1
    pids = [worker.pid for worker in pool._workers]
    pool.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_closing_a_pool_ends_the_calls_that_it_is_in(image_folder: Path) -> None:
    pool = DecodePool(1, LIMITS)
    layout = read_layout(DataConfig(root=image_folder))
    endless = list(layout.files) * 100_000
    future = pool.submit(crash_recovery.read_digests, layout.root, endless, DEFAULT_READING, True)
    time.sleep(1)
    pids = [worker.pid for worker in pool._workers]
    assert not future.done()
    pool.close()
    with pytest.raises(CancelledError):
        future.result(timeout=0)
    for pid in pids + [worker.pid for worker in pool._workers]:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
