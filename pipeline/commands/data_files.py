"""`imgpipe data files`: shows every file of a run, ingested or quarantined."""

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, TypedDict

from contracts.artifacts.manifest.file_row import QUARANTINED
from contracts.artifacts.manifest.rows import read_rows
from contracts.system.errors import some_of
from pipeline.commands.chosen_run import chosen_run_with_data
from pipeline.commands.next_command import next_command


class ListedFile(TypedDict):
    """The columns of a file's row in the manifest that are printed."""

    path: str
    label: str | None
    split: str | None
    status: str
    reason: str | None
    detail: str | None


COLUMNS: Final = tuple(ListedFile.__annotations__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run and the format."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the last)")
    parser.add_argument(
        "--csv", action="store_true", help=f"print CSV, one row a file: {','.join(COLUMNS)}"
    )


def run(args: argparse.Namespace) -> int:
    """Print a row for each file, or the counts of them.

    Raises:
      InputError: there is no such run, or it has no manifest.
    """
    summary = chosen_run_with_data(args, args.run)
    rows = _rows(summary.data.manifest)
    if args.csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif args.json:
        print(json.dumps(list(rows), indent=1, ensure_ascii=False))
    else:
        _print_counts(summary.run_id, rows)
        print(f"A row a file: {next_command('data files', args, summary.run_id, '--csv')}")
    return 0


def _rows(manifest: str) -> Iterator[ListedFile]:
    """Yield the rows by path; as Python objects, one batch at a time is in memory."""
    table = read_rows(manifest, list(COLUMNS)).select(COLUMNS).sort_by("path")
    for batch in table.to_batches():
        rows: list[ListedFile] = batch.to_pylist()
        yield from rows


def _print_counts(run_id: str, rows: Iterator[ListedFile]) -> None:
    paths: dict[str, list[str]] = defaultdict(list)
    found = quarantined = 0
    for row in rows:
        found += 1
        quarantined += row["status"] == QUARANTINED
        if row["reason"] is not None:
            paths[f"Quarantined, {row['reason'].replace('_', ' ')}"].append(row["path"])
        elif row["detail"] is not None:
            paths["Ingested in part"].append(f"{row['path']} ({row['detail']})")
    print(
        f"Run {run_id}: {found:,} files found, {found - quarantined:,} ingested, "
        f"{quarantined:,} quarantined."
    )
    for what, some in sorted(paths.items()):
        print(f"{what} ({len(some):,}): {some_of(some)}")
