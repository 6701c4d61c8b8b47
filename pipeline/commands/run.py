"""`imgpipe run`: runs the DAG on this machine, whole or up to a component."""

import argparse
import sys

from contracts.system.storage.remote_path import RemotePath, Root
from pipeline.commands.choice import require_choice
from pipeline.commands.next_command import next_command, short_path
from pipeline.component_ids import COMPONENTS
from pipeline.preflight.preflight import preflight
from pipeline.summary import Summary
from pipeline.workspace import Workspace

EXIT_CODES = {"blessed": 0, "partial": 0, "failed": 1, "not_blessed": 3}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own option."""
    parser.add_argument("--to", metavar="COMPONENT", help="stop after this component")


def run(args: argparse.Namespace) -> int:
    """Run the pipeline and print the results."""
    require_choice("--to", args.to, COMPONENTS)
    checked = preflight(args.config, args.overrides, args.workspace)
    from pipeline.local.runner import run_pipeline

    summary = run_pipeline(checked, args.workspace, args.to)
    if args.json:
        print(summary.model_dump_json(indent=1))
    else:
        from pipeline.summary_table import print_summary

        folder = Workspace(args.workspace.resolve()).run_folder(summary.run_id)
        print_summary(summary, folder, _next(summary, checked.layout.root, args), sys.stdout)
    return EXIT_CODES[summary.status]


def _next(summary: Summary, data_root: Root, args: argparse.Namespace) -> str:
    """Return the command to call next."""
    data, pushed = summary.data, summary.pushed_version
    if summary.challenges:
        return next_command("promote", args, str(pushed))
    is_serving = pushed is not None and pushed == summary.champion_version
    if is_serving and not isinstance(data_root, RemotePath):
        return next_command("predict", args, short_path(data_root / data.example))
    if data.is_refused:
        return next_command("data files", args)
    return next_command("data report" if data.issues else "status", args)
