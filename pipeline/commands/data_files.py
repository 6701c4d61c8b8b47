"""`imgpipe data files`: what became of every file that a run found."""

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from contracts.artifacts.manifest.file_row import QUARANTINED
from contracts.artifacts.manifest.rows import read_rows
from contracts.system.errors import some_of
from pipeline.commands.asked_run import asked_record
from pipeline.commands.following import following

COLUMNS: Final = ("path", "label", "split", "status", "reason", "detail")

Row = dict[str, str | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run and the format."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the last)")
    parser.add_argument("--csv", action="store_true", help=f"a row a file: {','.join(COLUMNS)}")


def run(args: argparse.Namespace) -> int:
    """Print a row a file, or what they come to.

    Raises:
      InputError: there is no such run, or it has no record of its files.
    """
    summary = asked_record(args, args.run)
    rows = _rows(summary.data.manifest)
    if args.csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif args.json:
        print(json.dumps(list(rows), indent=1, ensure_ascii=False))
    else:
        _print_counts(summary.run_id, rows)
        print(f"A row a file: {following('data files', args, summary.run_id, '--csv')}")
    return 0


def _rows(manifest: str) -> Iterator[Row]:
    """Give the rows by path, a batch in memory at a time as Python sees them."""
    table = read_rows(manifest, list(COLUMNS)).select(COLUMNS).sort_by("path")
    for batch in table.to_batches():
        yield from batch.to_pylist()


def _print_counts(run_id: str, rows: Iterator[Row]) -> None:
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
