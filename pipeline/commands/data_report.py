"""`imgpipe data report`: what is wrong with the images of a run."""

import argparse
import json

from contracts.errors import InputError, WorkspaceError
from pipeline.commands.following import following, short
from pipeline.summary import read_summary
from pipeline.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the last)")


def run(args: argparse.Namespace) -> int:
    """Write the page about the data, and name it and what was found; or print that as JSON.

    Raises:
      InputError: there is no such run, or it has not looked at its images.
      WorkspaceError: the page cannot be written.
    """
    workspace = Workspace(args.workspace.resolve())
    summary = read_summary(workspace, args.run)
    if summary is None or not summary.data.report:
        raise InputError(
            f"{workspace.root}: run {args.run or workspace.run_ids()[-1]} has not looked at its "
            "images: it was stopped before ImageValidator had ended, or is still there. "
            f"`{following('run', args, '--to', 'ImageValidator')}` looks at them."
        )
    from components.image_validator.report import read_report
    from pipeline.report.data_page import PAGE_FILE, as_json, write_data_page

    page = workspace.run_folder(summary.run_id) / PAGE_FILE
    try:
        report = read_report(summary.data.report)
        if not args.json:
            write_data_page(page, summary.run_id, summary.data)
    except (OSError, ValueError, LookupError) as error:
        raise WorkspaceError(
            f"{workspace.root}: the artifacts of run {summary.run_id} are gone or damaged "
            f"({error}). `{following('run', args, '--to', 'ImageValidator')}` makes others."
        ) from error
    if args.json:
        print(json.dumps(as_json(report), indent=1, ensure_ascii=False))
        return 0
    verdict = "is not to" if summary.data.blessed is False else "may"
    print(f"Run {summary.run_id}: its data {verdict} be trained on.")
    for issue in report.issues:
        print(f"{issue.severity}  {issue.name}: {issue.count:,}")
    for note in report.notes:
        print(note)
    print(f"Page: {short(page)}")
    return 0
