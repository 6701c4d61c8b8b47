"""The peak memory of this process during a block, also where a peak before it was higher."""

import os
import resource
import threading
from pathlib import Path
from types import TracebackType
from typing import Final

SECONDS_BETWEEN_SAMPLES: Final = 0.005


class PeakMemory:
    """Measures while it is entered as a context manager; `bytes` is the peak.

    The kernel knows the peak of a process since it began. Where that does not rise in the block,
    the memory is sampled every few milliseconds.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._peak_before = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True, name="peak-memory")

    def __enter__(self) -> "PeakMemory":
        self._peak_before = _peak_bytes()
        self.bytes = held_bytes()
        self._thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        peak = _peak_bytes()
        self.bytes = max(self.bytes, held_bytes(), peak if peak > self._peak_before else 0)

    def _sample(self) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_SAMPLES):
            self.bytes = max(self.bytes, held_bytes())


def held_bytes() -> int:
    """Return the memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _peak_bytes() -> int:
    """Return the most memory that this process has ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
