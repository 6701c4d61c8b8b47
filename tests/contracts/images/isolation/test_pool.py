"""Whoever is interrupted can end all decode processes, whatever they do."""

import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from contracts.images.isolation.pool import DecodeWorker, close_shared_pools, pool_of_this_process
from contracts.images.isolation.worker import DecodeCall, DecodeLimits

LIMITS = DecodeLimits(seconds=60.0, memory_bytes=1 << 28)


def test_closing_the_shared_pools_ends_calls_that_run_and_those_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "long_calls.py").write_text(
        "import time\ndef sleep(seconds, report):\n    report(0)\n    time.sleep(seconds)\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    began: list[int] = []

    def call(worker: DecodeWorker) -> None:
        worker.call(
            DecodeCall("long_calls:sleep", (60,), reports_every_position=True), began.append
        )

    pool = pool_of_this_process(1, LIMITS)
    futures = [pool.submit(call) for _ in range(3)]
    while not began:
        time.sleep(0.05)
    began_s = time.monotonic()
    close_shared_pools()
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(timeout=10)
    assert time.monotonic() - began_s < 10
    assert pool_of_this_process(1, LIMITS) is not pool
    close_shared_pools()
