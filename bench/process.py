"""Runs a command; measures its time and the memory of it and its children."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_EVERY_S = 0.25
TAIL = 20
KEEPS_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True)
class ProcessUsage:
    """The time, memory and output of a command."""

    seconds: float
    cpu_s: float  # of its processes, to the last sample
    peak_mib: float  # of the proportional share of all its processes together
    out: str


def run(command: Sequence[object], log: Path) -> ProcessUsage:
    """Run the command to its end and print its time; its standard error goes to `log`.

    Raises:
      RuntimeError: its exit code is not 0; the text ends with its last lines.
    """
    # No contestant is measured while it compiles Python again and again.
    environment = {key: value for key, value in os.environ.items() if key != KEEPS_NO_BYTECODE}
    started_s = time.monotonic()
    with log.open("w") as errors:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
        samples = _Samples(process.pid)
        samples.start()
        out, _ = process.communicate()
    seconds = time.monotonic() - started_s
    samples.stop()
    if process.returncode != 0:
        tail = "\n".join([*out.splitlines(), *log.read_text().splitlines()][-TAIL:])
        raise RuntimeError(f"{command} ended with {process.returncode}:\n{tail}")
    print(f"  {log.stem}: {seconds:.0f} s", file=sys.stderr)
    return ProcessUsage(seconds, samples.cpu_s, samples.mib, out)


class _Samples(threading.Thread):
    """Samples memory and CPU time of a process and its children until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._stopped = threading.Event()
        self.mib = self.cpu_s = 0.0

    def run(self) -> None:
        while not self._stopped.wait(SAMPLE_EVERY_S):
            family = self._family()
            self.mib = max(self.mib, sum(map(_proportional, family)) / 2**20)
            self.cpu_s = max(self.cpu_s, sum(map(_cpu_s, family)))

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def _cpu_s(process: psutil.Process) -> float:
    """Return the seconds of a process and of its children that have ended."""
    try:
        return float(sum(process.cpu_times()[:4]))
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has just ended
        return 0.0


def _proportional(process: psutil.Process) -> int:
    """Return bytes; what processes share is counted once (PSS)."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has just ended
        return 0
