"""A summary as the lines that a user reads at the end of a run and in `imgpipe status`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rich.table import Table
from rich.text import Text

from contracts.artifacts.manifest.value_range import value_range_sentences
from contracts.system.errors import some_of
from pipeline.console import Console
from pipeline.local.terminal import STYLES
from pipeline.summary import LOG_FILE, SUMMARY_FILE, Summary
from pipeline.workspace import Workspace

NAME_WIDTH = 12
# Lines are not folded where the output is no terminal.
WIDE = 200

VERDICTS = {
    "blessed": "bold green",
    "not_blessed": "bold yellow",
    "failed": "bold red",
    "partial": "bold",
}


def print_summary(summary: Summary, run_folder: Path, next_command: str, file: TextIO) -> None:
    """Print the results of a run, the places of its files and the next command."""
    console = console_on(file)
    places = [
        *([("data page", summary.data.page)] if summary.data.page else []),
        *([("mosaics", summary.augmentation.mosaics)] if summary.augmentation.mosaics else []),
        ("report", summary.report or "could not be written, the log says why"),
        ("summary", str(run_folder / SUMMARY_FILE)),
        ("log", str(run_folder / LOG_FILE)),
        ("next", next_command),
    ]
    console.print()
    for name, text in [*_rows(summary), *places]:
        style = {"verdict": VERDICTS[summary.status], "next": "bold"}.get(name, "")
        line = Text(name.ljust(NAME_WIDTH), style="dim").append(text, style=style or "not dim")
        console.print(line, soft_wrap=True)


def print_failure(summary: Summary, workspace: Path) -> int:
    """Print on standard error what has failed and where the log is, and return the exit code."""
    log = Workspace(workspace.resolve()).run_folder(summary.run_id) / LOG_FILE
    print(f"imgpipe: {summary.error}\nimgpipe: Log: {log}", file=sys.stderr)
    return 1


def print_components(summary: Summary, file: TextIO) -> None:
    """Print how each component of a run ended, and why it ran or did not."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("component", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for name, component in summary.components.items():
        state = Text(component.state, style=STYLES[component.state])
        table.add_row(name, state, f"{component.seconds:.1f}", Text(component.why))
    console_on(file).print(table)


def console_on(file: TextIO) -> Console:
    """Return a console that folds lines to the width of a terminal; elsewhere at WIDE columns."""
    return Console(file=file, highlight=False, width=None if file.isatty() else WIDE)


def _rows(summary: Summary) -> Iterator[tuple[str, str]]:
    data = summary.data
    if data.found:
        yield "data", data.layout
        yield (
            "images",
            f"{data.found:,} found, {data.ingested:,} ingested, {data.quarantined:,} quarantined",
        )
        yield "splits", ", ".join(f"{name} {count:,}" for name, count in data.splits.items())
    if data.quarantine_reasons:
        reasons = data.quarantine_reasons.items()
        yield "quarantine", ", ".join(f"{reason} {count:,}" for reason, count in reasons)
    for sentence in value_range_sentences(data.value_ranges):
        yield "values", sentence
    if data.issues:
        issues = [f"{name} {count:,}" for name, count in data.issues.items()]
        yield "issues", ", ".join(issues)
    for warning in summary.augmentation.warnings:
        yield "warning", warning
    for note in summary.augmentation.notes:
        yield "note", note
    if summary.metrics.accuracy is not None:
        yield "accuracy", _accuracy(summary)
    if summary.trained_in:
        yield "trained", f"in run {summary.trained_in}; there was nothing to train"
    for one in summary.tracked:
        trouble = f"; {one.trouble}" if one.trouble else ""
        yield "tracked", f"{one.tracker}: {one.place}{trouble}"
    yield "verdict", _verdict(summary)
    for reason in summary.gate.reasons:
        yield "", reason
    for warning in summary.gate.warnings:
        yield "warning", warning
    if summary.pushed_version is not None:
        yield "model", f"version {summary.pushed_version} in {summary.pushed_path}"
        if summary.what_serves:
            yield "", summary.what_serves
    seconds = summary.seconds
    yield "time", f"{seconds.total:.1f} s, of it {seconds.start:.1f} s until the first component"


def _accuracy(summary: Summary) -> str:
    metrics = summary.metrics
    against = (
        "no champion yet"
        if metrics.baseline_accuracy is None
        else f"champion, version {metrics.baseline_version}: {metrics.baseline_accuracy:.4f}"
    )
    interval = ""
    if metrics.accuracy_interval is not None:
        interval = " (95 % interval {:.4f} to {:.4f})".format(*metrics.accuracy_interval)
    return (
        f"{metrics.accuracy:.4f}{interval} on the test split; {against}; "
        f"always {metrics.largest_class}, the largest class: "
        f"{metrics.largest_class_share:.4f}"
    )


def _verdict(summary: Summary) -> str:
    if summary.status == "failed":
        failed = [name for name, one in summary.components.items() if one.state == "failed"]
        return f"{some_of(failed)} failed: {summary.error}"
    if summary.status == "partial":
        return f"ran up to {list(summary.components)[-1]}, as asked"
    return "blessed" if summary.gate.blessed else "not blessed"
