"""`imgpipe data report`: shows what ImageValidator has found in the images of a run."""

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from contracts.system.errors import WorkspaceError, some_of
from pipeline.commands.chosen_run import chosen_run_with_data
from pipeline.commands.next_command import next_command, short_path
from pipeline.component_ids import IMAGE_VALIDATOR
from pipeline.summary import DataSummary
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.report.data_record import DataRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the last)")


def run(args: argparse.Namespace) -> int:
    """Write the page about the data, and name it and what was found; or print that as JSON.

    Raises:
      InputError: there is no such run, or it has no record of its files.
      WorkspaceError: the page cannot be written.
    """
    workspace = Workspace(args.workspace.resolve())
    summary = chosen_run_with_data(args, args.run)
    from pipeline.report.data_page import PAGE_FILE, write_data_page
    from pipeline.report.data_record import read_data_record

    page = workspace.run_folder(summary.run_id) / PAGE_FILE
    try:
        record = read_data_record(summary.data)
        if not args.json:
            write_data_page(page, summary.run_id, summary.data)
    except (OSError, TypeError, ValueError, LookupError) as error:
        raise WorkspaceError(
            f"{workspace.root}: the artifacts of run {summary.run_id} are gone or damaged "
            f"({error}). `{_checks(args)}` makes others."
        ) from error
    if args.json:
        print(json.dumps(record.as_json(), indent=1, ensure_ascii=False))
        return 0
    print(f"Run {summary.run_id}: {_verdict(summary.data, args)}")
    for line in [*_lines(record), f"Page: {short_path(page)}"]:
        print(line)
    return 0


def _verdict(data: DataSummary, args: argparse.Namespace) -> str:
    if data.blessed is None:
        return f"its images were not checked. `{_checks(args)}` checks them."
    return f"its data {'may' if data.blessed else 'is not to'} be trained on."


def _checks(args: argparse.Namespace) -> str:
    """Return the command that checks the images."""
    return next_command("run", args, "--to", IMAGE_VALIDATOR)


def _lines(record: "DataRecord") -> Iterator[str]:
    yield from record.refusal
    yield from record.value_ranges
    for issue in record.report.issues:
        details = [] if issue.groups else issue.details
        what = f"; {some_of(details, 1)}" if details else ""
        yield f"{issue.severity}  {issue.name}: {issue.count:,}{what}"
    yield from record.report.notes
