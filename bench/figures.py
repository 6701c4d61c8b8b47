"""Figures of the benchmark: ratios with limits, and the seconds or MiB that they come from."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TextIO

from rich.console import Console
from rich.table import Table

LIBRARIES = ("imgpipe", "tfx", "tensorflow", "keras", "apache-beam")


@dataclass(frozen=True)
class CostRatio:
    """`ours` against `other`, pair by pair in the order in which they were measured."""

    name: str
    ours: list[float]
    other: list[float]
    unit: str = "s"
    limit: float | None = None  # of the ratio

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: the machine's speed affects both of a pair."""
        return median(one / other for one, other in zip(self.ours, self.other, strict=True))

    @property
    def holds(self) -> bool:
        """Whether the ratio is within its limit, or there is no limit."""
        return self.limit is None or self.ratio <= self.limit


def write(figures: Sequence[CostRatio], is_short: bool, path: Path) -> None:
    """Write the figures and the versions of the machine as JSON."""
    record = {
        "is_short": is_short,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "figures": [asdict(figure) | {"ratio": figure.ratio} for figure in figures],
    }
    path.write_text(json.dumps(record, indent=1))


def read(path: Path) -> tuple[list[CostRatio], bool]:
    """Return the figures of a file, and whether they are of the short benchmark."""
    record = json.loads(path.read_text())
    found = [
        CostRatio(**{key: value for key, value in one.items() if key != "ratio"})
        for one in record["figures"]
    ]
    return found, record["is_short"]


def print_table(figures: Sequence[CostRatio], before: Sequence[CostRatio], file: TextIO) -> None:
    """Print the figures, with a column of those in `before` if there are any."""
    ratios_before = {figure.name: figure.ratio for figure in before}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("figure", no_wrap=True)
    for name in ("ours", "other", "", "ratio", "limit", *(("before",) if ratios_before else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:.2f}"
        row = [
            figure.name,
            f"{median(figure.ours):,.2f}",
            f"{median(figure.other):,.2f}",
            figure.unit,
            f"{figure.ratio:.2f}",
            limit if figure.holds else f"{limit} MISSED",
        ]
        if ratios_before:
            before_ratio = ratios_before.get(figure.name)
            row.append("" if before_ratio is None else f"{before_ratio:.2f}")
        table.add_row(*row)
    Console(file=file, width=160, highlight=False).print(table)
