"""`imgpipe status`: shows how each component of a run ended, and why it ran or did not."""

import argparse
import json
import sys

from pipeline.commands.chosen_run import chosen_run
from pipeline.summary import LOG_FILE, read_summary
from pipeline.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the last)")


def run(args: argparse.Namespace) -> int:
    """Print the components of a run.

    Raises:
      InputError: there is no such run.
    """
    workspace = Workspace(args.workspace.resolve())
    run_id = chosen_run(args, args.run)
    summary = read_summary(workspace, run_id)
    if summary is None:
        _print_unfinished(run_id, workspace, as_json=args.json)
        return 1
    if args.json:
        print(summary.model_dump_json(indent=1))
        return 0
    from pipeline.summary_table import print_components

    print(f"Run {summary.run_id}: {summary.status.replace('_', ' ')}")
    print_components(summary, sys.stdout)
    if summary.error:
        print(f"{summary.error}\nLog: {workspace.run_folder(summary.run_id) / LOG_FILE}")
    return 0


def _print_unfinished(run_id: str, workspace: Workspace, *, as_json: bool) -> None:
    log = str(workspace.run_folder(run_id) / LOG_FILE)
    if as_json:
        print(json.dumps({"run_id": run_id, "status": "unfinished", "log": log}, indent=1))
    else:
        print(f"Run {run_id} is still going on, or was killed before its end.\nIts log: {log}")
