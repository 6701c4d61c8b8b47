"""`imgpipe promote`: makes a registered version the champion, which serves."""

import argparse
import json

from contracts.config.loading.loader import load_config
from contracts.system.errors import InputError, WorkspaceError
from pipeline.commands.next_command import next_command
from pipeline.workspace import Workspace
from pipeline.workspace_registry import open_registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the version."""
    parser.add_argument("version", type=int, metavar="VERSION", help="a number in the registry")


def run(args: argparse.Namespace) -> int:
    """Make the version the champion, and print the change.

    Raises:
      InputError: there is no such version, or the serving folder cannot be changed.
      ComponentError: its SavedModel is missing, or the registry does not answer.
    """
    config = load_config(args.config, args.overrides, needs_data=False)
    workspace = Workspace(args.workspace.resolve())
    registry = open_registry(workspace, config)
    if registry is None:
        raise InputError(
            f"{config.name}: no version in the registry yet. "
            f"Push a model with `{next_command('run', args)}`."
        )
    from pipeline.promotion import promote
    from registry.serving_folder import ServingFolder

    serving = ServingFolder(workspace.serving(config.name))
    try:
        before = promote(args.version, registry, serving)
    except OSError as error:
        raise WorkspaceError(
            f"{serving.root}: expected a serving folder that can be changed, received "
            f"{error.strerror} ({error.filename}). Mend that, and promote again."
        ) from error
    number = before and before.version
    if args.json:
        print(json.dumps({"champion": args.version, "before": number}, indent=1))
        return 0
    if number == args.version:
        print(f"Version {args.version} of {config.name} serves, as it did before.")
        return 0
    print(f"Version {args.version} of {config.name} serves now.")
    if number is not None:
        back = next_command("promote", args, str(number))
        print(f"Version {number} stands by. Back to it: {back}")
    return 0
