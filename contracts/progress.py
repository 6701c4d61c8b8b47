"""How far a component has come, told through the standard logging tree.

Components report; whoever runs them decides what to show. In a terminal the runner shows a
live line; in a container the same reports are plain log lines.
"""

import logging
from dataclasses import dataclass

LOGGER = logging.getLogger("imgpipe.progress")


@dataclass(frozen=True)
class Progress:
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


def report(
    done: int, total: int, unit: str, detail: str = "", component: str | None = None
) -> None:
    """Tell whoever listens how far the running component has come, or the one that is named."""
    progress = Progress(done, total, unit, detail, component)
    LOGGER.info("%s", progress, extra={"progress": progress})
