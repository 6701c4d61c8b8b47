"""How far a component has come, told through the standard logging tree.

Components report; whoever runs them decides what to show. In a terminal the runner shows a
live line; in a container the same reports are plain log lines.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

LOGGER = logging.getLogger("imgpipe.progress")

# Where reports become lines, rather than one live line.
SECONDS_BETWEEN_LINES: Final = 10.0


@dataclass(frozen=True)
class ComponentProgress:
    """`done` of `total` `unit`s (total 0: not known), and what else there is to say.

    `component` is told by those that run beside others.
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
    """Tell whoever listens how far the running component has come, or the one that is named."""
    progress = ComponentProgress(done, total, unit, detail, component)
    LOGGER.info("%s", progress, extra={"progress": progress})


class ProgressLineFilter(logging.Filter):
    """Lets a report through from time to time: of a million images there are many.

    The last one of what is counted always passes, and so does whatever else is logged.
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
    """Have every report of the block say where it stands: "trial 3 of 20"."""

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
