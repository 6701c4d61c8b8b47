"""Sends what libraries print to the log of the run, so that the terminal is for the user."""

import atexit
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from contracts.system.progress import ProgressLineFilter

LOG_FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"


@contextmanager
def output_redirected_to(log: Path) -> Iterator[TextIO]:
    """Send file descriptors 1 and 2 to `log` and give the terminal's standard error.

    TensorFlow, gRPC and image decoders print from C, and child processes inherit descriptors.
    What TensorFlow prints while the interpreter ends goes to `log` too.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    saved = [os.dup(1), os.dup(2)]
    handler = _log_handler()
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        with os.fdopen(os.dup(saved[1]), "w", encoding="utf-8", errors="replace") as terminal:
            yield terminal
    finally:
        logging.getLogger().removeHandler(handler)
        _flush_into_log()
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)
        atexit.register(os.dup2, target, 2)


def _log_handler() -> logging.Handler:
    root = logging.getLogger()
    # Standard error is the log now. A handler with a file of its own would have another buffer. On
    # a full disk it would print an error on the terminal at the end.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    handler.addFilter(ProgressLineFilter())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler


def _flush_into_log() -> None:
    """Empty the buffers; where the disk of the log is full, their content is lost.

    Left in the buffers, it would be printed on the terminal.
    """
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, descriptor)
            os.close(null)
            stream.flush()
