"""Prints the record of a sweep: a table, and a sentence for each variant."""

from typing import TextIO

from rich.table import Table
from rich.text import Text

from pipeline.summary_table import console_on
from pipeline.sweep.paired_statistics import MOST_SEEDS, PairedDifference
from pipeline.sweep.sweep_record import SweepRecord, VariantResult

STYLES = {"helps": "green", "hurts": "red", "same": "", "unclear": "yellow"}


def print_sweep(record: SweepRecord, file: TextIO) -> None:
    """Print means and differences, and whether a difference is clear."""
    console = console_on(file)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(f"{record.metric} on {record.split}", overflow="fold")
    for column in ("seeds", "mean", "deviation", "difference", "95 % interval"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for result in record.results:
        table.add_row(*_row(result))
    console.print(table)
    for result in record.results[1:]:
        console.print(sentence(record, result), soft_wrap=True, markup=False)
    console.print(
        f"The intervals speak of other seeds on these {record.images:,} images; an image more or "
        f"less is {1 / record.images:.4f} of accuracy.",
        soft_wrap=True,
        style="dim",
    )
    for one in record.failed():
        text = f"Failed: {one.variant}, seed {one.seed}: {one.why}"
        console.print(text, soft_wrap=True, markup=False)


def _row(result: VariantResult) -> list[str | Text]:
    spread, difference = result.spread, result.difference
    if spread is None:
        return [Text(result.name), "0", "", "", "", "", Text("failed", style="red")]
    deviation = "" if spread.deviation is None else f"{spread.deviation:.4f}"
    row: list[str | Text] = [Text(result.name), f"{spread.count}", f"{spread.mean:.4f}", deviation]
    if difference is None:
        return [*row, "", "", Text("baseline", style="dim")]
    verdict = Text(difference.verdict, style=STYLES[difference.verdict])
    return [*row, f"{difference.mean:+.4f}", _interval(difference), verdict]


def _interval(difference: PairedDifference) -> str:
    if difference.low is None or difference.high is None:
        return ""
    return f"{difference.low:+.4f} to {difference.high:+.4f}"


def sentence(record: SweepRecord, result: VariantResult) -> str:
    """Return whether a variant differs from the baseline, in words."""
    baseline, difference = record.results[0].name, result.difference
    pair = f"{result.name} against {baseline}"
    if difference is None:
        return f"{pair}: no seed has been trained with both."
    seeds = f"{difference.count} seed{'s' if difference.count > 1 else ''}"
    size = f"{difference.mean:+.4f} {record.metric}"
    if difference.verdict in ("helps", "hurts"):
        return f"{pair}: {difference.verdict} ({size}, 95 % interval {_interval(difference)})."
    if difference.verdict == "same":
        return f"{pair}: no difference at all with {seeds}."
    if difference.low is None:
        return f"{pair}: unclear with one seed ({size}); give --seeds 3 or more."
    if difference.seeds_needed is None:
        more = f"a difference of this size would be unclear with {MOST_SEEDS:,} seeds too"
    else:
        more = f"a difference of this size would take about {difference.seeds_needed} seeds"
    measured = f"{size}, 95 % interval {_interval(difference)}"
    return f"{pair}: unclear with {seeds} ({measured}); {more}."
