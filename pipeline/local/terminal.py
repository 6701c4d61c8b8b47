"""Shows a run to the user: as a live table, or as plain lines where there is no terminal."""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.live import Live
from rich.table import Table
from rich.text import Text

from contracts.system.progress import LOGGER, SECONDS_BETWEEN_LINES, ComponentProgress
from pipeline.console import Console
from pipeline.summary import ComponentSummary

START = "start"

STYLES = {
    "waiting": "dim",
    "running": "bold cyan",
    "done": "green",
    "cached": "blue",
    "failed": "bold red",
}


@dataclass
class _Row:
    name: str
    state: str = "waiting"
    began_s: float = 0.0
    seconds: float | None = None
    detail: str = ""


class Terminal(logging.Handler):
    """Shows which components run and how they ended, with the progress that they log."""

    def __init__(self, stream: TextIO, heading: str = "component") -> None:
        super().__init__(logging.INFO)
        self._heading = heading
        self._console = Console(file=stream, highlight=False)
        self._rows = {START: _Row(START)}
        self._running: _Row | None = None
        self._last_line_s = 0.0

    @contextmanager
    def showing(self) -> Iterator["Terminal"]:
        """Show until the end of the context: live where the stream is a terminal."""
        LOGGER.addHandler(self)
        LOGGER.setLevel(logging.INFO)
        try:
            if self._console.is_terminal:
                with Live(
                    get_renderable=self._table,
                    console=self._console,
                    refresh_per_second=4,
                    redirect_stdout=False,
                    redirect_stderr=False,
                ):
                    yield self
            else:
                yield self
        finally:
            LOGGER.removeHandler(self)

    def show_waiting(self, names: Iterable[str]) -> None:
        """Add components that are going to run."""
        self._rows |= {name: _Row(name) for name in names}

    def show_start(self, name: str, detail: str = "", *, on_side_branch: bool = False) -> None:
        """Show that a component runs now.

        Progress that names no component belongs to the one that runs on the main branch.
        """
        row = self._rows[name]
        row.state, row.began_s, row.detail = "running", time.monotonic(), detail
        if not on_side_branch:
            self._running = row
            self._last_line_s = row.began_s
        if detail:
            self._line(f"{name}: {detail}")

    def show_end(self, name: str, result: ComponentSummary) -> None:
        """Show how a component ended."""
        row = self._rows[name]
        row.state, row.seconds, row.detail = result.state, result.seconds, result.why
        if self._running is row:
            self._running = None
        why = f" ({result.why})" if result.why else ""
        self._line(f"{name}: {result.state} in {result.seconds:.1f} s{why}")

    def emit(self, record: logging.LogRecord) -> None:
        """Show a progress report of the component that runs."""
        progress = getattr(record, "progress", None)
        if not isinstance(progress, ComponentProgress):
            return
        row = self._rows.get(progress.component) if progress.component else self._running
        if row is None or row.state != "running":
            return
        row.detail = str(progress)
        now_s = time.monotonic()
        if now_s - self._last_line_s >= SECONDS_BETWEEN_LINES:
            self._last_line_s = now_s
            self._line(f"{row.name}: {progress}")

    def _line(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(text, markup=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        width = max(map(len, [*self._rows, self._heading]))
        table.add_column(self._heading, no_wrap=True, width=width)
        table.add_column("state", no_wrap=True, width=max(map(len, STYLES)))
        table.add_column("seconds", justify="right", no_wrap=True, width=len("seconds"))
        table.add_column("", overflow="ellipsis", no_wrap=True)
        for row in self._rows.values():
            seconds = row.seconds
            if row.state == "running":
                seconds = time.monotonic() - row.began_s
            shown = "" if seconds is None else f"{seconds:.1f}"
            style = STYLES[row.state]
            state = Text(row.state, style=style)
            table.add_row(row.name, state, shown, Text(row.detail.replace("\n", " ")))
        return table
