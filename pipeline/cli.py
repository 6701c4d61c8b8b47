"""The command `imgpipe`: finds the subcommand, loads it alone, and turns errors into sentences."""

import argparse
import gc
import importlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from contracts.environment.library_settings import set_library_variables
from contracts.system.closed_pipe import silent_without_reader
from contracts.system.errors import InputError, PipelineError

DISTRIBUTION = "imgpipe"

DEFAULT_CONFIG = Path("pipeline.yaml")
WORKSPACE_FOLDER = "workspace"

EXIT_FAILED = 1
EXIT_WRONG_INPUT = 2
EXIT_INTERRUPTED = 130  # as shells report a process that SIGINT has ended


class CommandModule(Protocol):
    """The interface of the module of a command."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of the command besides the common options."""

    def run(self, args: argparse.Namespace) -> int:
        """Run the command and return the exit code."""


@dataclass(frozen=True)
class Command:
    """A subcommand; its module is imported only when it is called."""

    name: str
    help: str
    module: str
    takes_config: bool = True


COMMANDS = (
    Command(
        "init",
        "write a commented pipeline.yaml; --demo: with handwritten digits",
        "pipeline.commands.init",
        takes_config=False,
    ),
    Command("check", "check the config and the data folder", "pipeline.commands.check"),
    Command("run", "run the pipeline: data in, model out", "pipeline.commands.run"),
    Command("status", "show how the components of a run ended", "pipeline.commands.status"),
    Command("data report", "show what is wrong with the images", "pipeline.commands.data_report"),
    Command(
        "data files", "show each file, ingested or quarantined", "pipeline.commands.data_files"
    ),
    Command("data diff", "show what changed between two runs", "pipeline.commands.data_diff"),
    Command(
        "sweep",
        "compare values of the config over several seeds; --search: find the best values",
        "pipeline.commands.sweep",
    ),
    Command(
        "doctor",
        "check hardware, libraries and services for a run",
        "pipeline.commands.doctor",
    ),
    Command("predict", "label images with the champion", "pipeline.commands.predict"),
    Command("models", "list the registered models", "pipeline.commands.models"),
    Command("promote", "make a registered version the champion", "pipeline.commands.promote"),
)


# First word of the commands of two words -> its help.
GROUPS = {"data": "show what is in the data of a run"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, print errors as sentences, and return the exit code.

    0: done. 1: a component failed. 2: the config, the data or the call is wrong. 3: the model
    was not blessed. 130: interrupted. 141: the reader of the output has closed it.
    """
    # Listing many files makes many objects, and all of them stay. pipeline.local.quick_imports
    # enables the garbage collector again.
    gc.disable()
    set_library_variables()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names hold any byte
    try:
        return silent_without_reader(lambda: _in_sentences(sys.argv[1:] if argv is None else argv))
    finally:
        gc.enable()


def _in_sentences(argv: Sequence[str]) -> int:
    """Run the command line; turn its errors into sentences on standard error."""
    try:
        code = _run(argv)
        gc.freeze()  # otherwise the interpreter visits every object of TensorFlow at its end
        return code
    except InputError as error:
        _complain(error.problems)
        return EXIT_WRONG_INPUT
    except PipelineError as error:
        _complain(error.problems)
        return EXIT_FAILED
    except KeyboardInterrupt:
        _complain(["interrupted."])
        return EXIT_INTERRUPTED


def _run(argv: Sequence[str]) -> int:
    parser = _Parser(
        prog=DISTRIBUTION,
        description="An image folder goes in; a validated, trained and evaluated model comes out.",
        epilog="`imgpipe COMMAND --help` says what a command takes.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    groups = {"": subparsers}
    words = [argument for argument in argv if not argument.startswith("-")]
    run = None
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        if group not in groups:
            about = subparsers.add_parser(group, help=GROUPS[group], description=GROUPS[group])
            groups[group] = about.add_subparsers(metavar="COMMAND", title="commands", required=True)
        subparser = groups[group].add_parser(name, help=command.help, description=command.help)
        if words[: 1 + bool(group)] == command.name.split():
            if command.takes_config:
                _add_common_options(subparser)
            module = cast(CommandModule, importlib.import_module(command.module))
            module.add_arguments(subparser)
            run = module.run
    args = parser.parse_args(argv)
    if run is None:
        parser.print_help()
        return 0
    if "workspace" in args and args.workspace is None:
        args.workspace = default_workspace(args.config)
    return run(args)


def default_workspace(config: Path) -> Path:
    """Return the default workspace, which is in the folder of the config."""
    return config.parent / WORKSPACE_FOLDER


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help="the config file (default: pipeline.yaml)",
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="use this value instead of the file's; may be repeated",
    )
    parser.add_argument(
        "--workspace",
        type=Path,
        metavar="DIR",
        help="where runs, metadata and models are kept (default: workspace/ next to the config)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")


class _Parser(argparse.ArgumentParser):
    """Raises BrokenPipeError where the reader has closed the output; argparse ignores that."""

    def print_help(self, file: Any = None) -> None:
        """Print the help."""
        print(self.format_help(), end="", file=file)


class _Version(argparse.Action):
    """Prints the installed version; looks it up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{DISTRIBUTION} {version(DISTRIBUTION)}")
        parser.exit()


def _complain(problems: Sequence[str]) -> None:
    for problem in problems:
        print(f"{DISTRIBUTION}: {problem}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
