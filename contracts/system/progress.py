"""The progress of a component, as records of the standard logging tree.

The component reports it; its runner decides what is shown. In a terminal the runner shows a
live line; in a container the same records are plain log lines.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

LOGGER = logging.getLogger("imgpipe.progress")

# Where each record becomes a line of its own.
SECONDS_BETWEEN_LINES: Final = 10.0


@dataclass(frozen=True)
class ComponentProgress:
    """`done` of `total` `unit`s (total 0: not known), and a detail in words.

    `component` is named where several components run at the same time.
    """

    done: int
    total: int
    unit: str
    detail: str = ""
    component: str | None = None

    def __str__(self) -> str:
        count = f"{self.done:,} of {self.total:,}" if self.total else f"{self.done:,}"
        return " ".join(part for part in (count, self.unit, self.detail) if part)


def report_progress(
    done: int, total: int, unit: str, detail: str = "", component: str | None = None
) -> None:
    """Log the progress of the running component, or of the one that is named."""
    progress = ComponentProgress(done, total, unit, detail, component)
    LOGGER.info("%s", progress, extra={"progress": progress})


class ProgressLineFilter(logging.Filter):
    """Lets a progress record through every few seconds: a million images make many.

    The last record of a count always passes, and so do all other records.
    """

    _last_s = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record becomes a line."""
        progress = getattr(record, "progress", None)
        if not isinstance(progress, ComponentProgress) or 0 < progress.total <= progress.done:
            return True
        now_s = time.monotonic()
        is_due = now_s - self._last_s >= SECONDS_BETWEEN_LINES
        if is_due:
            self._last_s = now_s
        return is_due


@contextmanager
def progress_detail(place: str) -> Iterator[None]:
    """Add a place, such as "trial 3 of 20", to every progress record of the block."""

    def add_place(record: logging.LogRecord) -> bool:
        progress = getattr(record, "progress", None)
        if isinstance(progress, ComponentProgress):
            placed = replace(progress, detail=f"{progress.detail}, {place}".lstrip(", "))
            record.args = (placed,)
            vars(record)["progress"] = placed
        return True

    LOGGER.addFilter(add_place)
    try:
        yield
    finally:
        LOGGER.removeFilter(add_place)
