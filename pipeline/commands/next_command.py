"""The command to call next, as a line that the user can copy."""

import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path

from pipeline.cli import DEFAULT_CONFIG, DISTRIBUTION, default_workspace


def next_command(command: str, args: argparse.Namespace, *more: str) -> str:
    """Return `imgpipe command more...`, with the options of this call that it needs."""
    options = []
    if args.config != DEFAULT_CONFIG:
        options += _option("--config", str(args.config))
    if args.workspace != default_workspace(args.config):
        options += _option("--workspace", str(args.workspace))
    for override in args.overrides:
        options += _option("--set", override)
    return shlex.join([_program(), *command.split(), *options, *more])


def short_path(path: Path) -> str:
    """Return the path relative to the working directory where it lies below it.

    It never begins with a dash, as options do.
    """
    text = str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return f"./{text}" if text.startswith("-") else text


def _option(name: str, value: str) -> list[str]:
    """Return an option and its value, joined where the value looks like an option itself."""
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


def _program() -> str:
    """Return the name of the program, with its folder where the shell would not find it."""
    called = Path(sys.argv[0])
    if called.name != DISTRIBUTION or shutil.which(DISTRIBUTION):
        return DISTRIBUTION
    return os.path.relpath(called)
