"""The run that a command shows: the named one, by default the last."""

import argparse
from pathlib import Path

from contracts.system.errors import InputError, some_of
from pipeline.commands.next_command import next_command
from pipeline.component_ids import IMAGE_EXAMPLE_GEN
from pipeline.summary import Summary, read_summary
from pipeline.workspace import Workspace


def chosen_run(args: argparse.Namespace, run_id: str | None) -> str:
    """Return `run_id`, by default the id of the last run.

    Raises:
      InputError: there is no such run.
    """
    workspace = Workspace(args.workspace.resolve())
    known = workspace.run_ids()
    if not known:
        raise InputError(
            f"{workspace.root}: no runs yet. Start one with `{next_command('run', args)}`."
        )
    if run_id is not None and run_id not in known:
        raise InputError(
            f"{workspace.root}: no run {run_id!r}. The last ones: {some_of(known[::-1])}."
        )
    return run_id or known[-1]


def chosen_run_with_data(args: argparse.Namespace, run_id: str | None) -> Summary:
    """Return the summary of the run, by default the last, whose manifest is there.

    Raises:
      InputError: there is no such run, or it has no manifest.
    """
    run_id = chosen_run(args, run_id)
    workspace = Workspace(args.workspace.resolve())
    summary = read_summary(workspace, run_id)
    manifest = summary.data.manifest if summary else ""
    if not summary or not manifest or not Path(manifest).is_dir():
        raise InputError(
            f"{workspace.root}: run {run_id} has left no record of its files: {IMAGE_EXAMPLE_GEN} "
            "had not ended, or its manifest was removed. "
            f"`{next_command('status', args, run_id)}` says how it fared; "
            f"`{next_command('run', args, '--to', IMAGE_EXAMPLE_GEN)}` makes another."
        )
    return summary
