"""Ends a command whose reader has left (`imgpipe data files | head`) as SIGPIPE ends programs."""

import os
import select
import sys
from collections.abc import Callable
from typing import Final, TextIO

EXIT_PIPE_CLOSED: Final = 141  # as shells report a process that SIGPIPE has ended


def silent_without_reader(command: Callable[[], int]) -> int:
    """Return what the command returns, after all that it has printed is written.

    Where nobody reads standard output or error any more, say nothing and return 141.

    Raises:
      BrokenPipeError: the command raised it for another pipe.
    """
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        left = [stream for stream in (sys.stdout, sys.stderr) if not _has_reader(stream)]
        if not left:
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in left:  # what is still buffered is written when the interpreter ends
            os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        return EXIT_PIPE_CLOSED


def _has_reader(stream: TextIO) -> bool:
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return not any(event & select.POLLERR for _, event in poll.poll(0))
