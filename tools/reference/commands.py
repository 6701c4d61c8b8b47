"""The commands, as each of them describes itself."""

import os
import subprocess
import sys
from pathlib import Path

from pipeline.cli import COMMANDS

# Columns of a code block of a page.
_WIDTH = 84


def commands_part() -> str:
    """Return a heading and the help text of each command, as Markdown."""
    names = [*(f"imgpipe {command.name}" for command in COMMANDS), "imgpipe-train"]
    return "\n\n".join(f"## {name}\n\n```text\n{_help(name)}```" for name in names)


def _help(name: str) -> str:
    """Return what `NAME --help` prints.

    Raises:
      subprocess.CalledProcessError: the command failed.
    """
    program, *words = name.split()
    command = [str(Path(sys.executable).with_name(program)), *words, "--help"]
    env = {**os.environ, "COLUMNS": str(_WIDTH), "NO_COLOR": "1"}
    return subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
