"""Rich's console, for commands that end as `contracts.system.closed_pipe` says."""

import errno
import os

import rich.console


class Console(rich.console.Console):
    """Raises BrokenPipeError where the reader closed the output; Rich would exit with code 1."""

    def on_broken_pipe(self) -> None:
        """Raise the error that Rich has caught."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
