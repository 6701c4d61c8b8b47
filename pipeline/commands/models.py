"""`imgpipe models`: the versions in the registry."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from contracts.config.loading.loader import load_config
from pipeline.commands.next_command import next_command
from pipeline.workspace import Workspace
from pipeline.workspace_registry import open_registry

if TYPE_CHECKING:
    from registry.model_versions import RegisteredVersion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: the common options are enough."""


def run(args: argparse.Namespace) -> int:
    """Print every pushed version, the newest first."""
    config = load_config(args.config, args.overrides, needs_data=False)
    workspace = Workspace(args.workspace.resolve())
    registry = open_registry(workspace, config)
    versions = registry.versions()[::-1] if registry else []
    if args.json:
        print(json.dumps([asdict(version) for version in versions], indent=1))
    elif versions:
        _print_table(versions)
    else:
        print(
            f"No version of {config.name!r} has been pushed yet. "
            f"Start a run with `{next_command('run', args)}`."
        )
    return 0


def _print_table(versions: list["RegisteredVersion"]) -> None:
    from rich.table import Table

    from pipeline.summary_table import console_on
    from registry import model_versions as registry

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("version", justify="right", no_wrap=True)
    for name in ("alias", "accuracy", "pushed (UTC)", "run", "data"):
        table.add_column(name, no_wrap=True)
    for version in versions:
        tags = version.tags
        pushed = datetime.fromtimestamp(version.created_ms / 1000, timezone.utc)
        table.add_row(
            str(version.version),
            ", ".join(version.aliases),
            f"{float(tags[registry.ACCURACY]):.4f}",
            f"{pushed:%Y-%m-%d %H:%M}",
            tags[registry.RUN_ID],
            tags[registry.DATA_FINGERPRINT][:12],
        )
    console_on(sys.stdout).print(table)
