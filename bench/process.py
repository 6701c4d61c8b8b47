"""Runs a command and says how long it took and how much memory it and its children held."""

import os
import subprocess
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
class Usage:
    """What a command used."""

    seconds: float
    peak_mib: float  # of the proportional share of all its processes together
    out: str


def run(command: Sequence[object], log: Path) -> Usage:
    """Run the command to its end; what it prints on standard error goes to `log`.

    Raises:
      RuntimeError: it ended with another exit code than 0; the text ends with its last lines.
    """
    # Nobody is measured compiling Python again and again.
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
        peak = _Peak(process.pid)
        peak.start()
        out, _ = process.communicate()
    seconds = time.monotonic() - started_s
    peak.stop()
    if process.returncode != 0:
        tail = "\n".join([*out.splitlines(), *log.read_text().splitlines()][-TAIL:])
        raise RuntimeError(f"{command} ended with {process.returncode}:\n{tail}")
    return Usage(seconds, peak.mib, out)


class _Peak(threading.Thread):
    """Samples the memory of a process and its children until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._stopped = threading.Event()
        self.mib = 0.0

    def run(self) -> None:
        while not self._stopped.wait(SAMPLE_EVERY_S):
            self.mib = max(self.mib, self._held() / 2**20)

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _held(self) -> int:
        """Return bytes; what processes share is counted once (PSS)."""
        try:
            family = [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        return sum(map(_proportional, family))


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has just ended
        return 0
