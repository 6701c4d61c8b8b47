"""The decode process: it reads pickled calls from its parent and writes pickled answers.

A hostile image can crash only this process. It imports only the modules that decoding needs, not
the main module of its parent.
"""

import gc
import importlib
import os
import pickle
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from contracts.images.source import prepare

PositionReport = Callable[[int], None]  # is called with the position of the next image

_REPORT_EVERY_S = 0.2
_OBJECTS_A_COLLECTION = 10_000


class DecodeLimits(NamedTuple):
    """Limits of a process: seconds for each image, and bytes of memory in addition to its start."""

    seconds: float
    memory_bytes: int


class DecodeCall(NamedTuple):
    """A function "module:name" and its arguments; the process adds its `report` as the last one.

    `reports_every_position` identifies the image that crashes the process.
    """

    function: str
    arguments: tuple[Any, ...]
    reports_every_position: bool


class DecodeAnswer(NamedTuple):
    """An answer: `value` is a position, a result, an exception, or None at the start."""

    kind: str  # READY, POSITION, RESULT or ERROR
    value: Any = None


READY, POSITION, RESULT, ERROR = "ready", "position", "result", "error"


def serve(limits: DecodeLimits) -> None:
    """Answer calls until the parent closes the input.

    An image that takes too long ends the process by SIGALRM, even inside of a decoder. An image
    that takes too much memory raises a MemoryError.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # C libraries write warnings to standard output, which must not mix with the answers.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    prepare()  # while the parent still lists images
    gc.freeze()  # imported objects stay: the garbage collector need not scan them
    gc.set_threshold(_OBJECTS_A_COLLECTION)
    _send(answers, DecodeAnswer(READY))
    while True:
        try:
            call: DecodeCall = pickle.load(calls)
        except EOFError:
            return
        _send(answers, _answer(call, answers, limits))


@cache
def _limit_memory(more_bytes: int) -> None:
    """Limit the memory of this process to its current size and `more_bytes`, once."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + more_bytes
    if most == resource.RLIM_INFINITY or limit < most:
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _answer(call: DecodeCall, answers: BinaryIO, limits: DecodeLimits) -> DecodeAnswer:
    """Run a call. An error that cannot be pickled is sent as its traceback."""
    next_report_s = 0.0

    def report(position: int) -> None:
        nonlocal next_report_s
        signal.setitimer(signal.ITIMER_REAL, limits.seconds)
        if call.reports_every_position or time.monotonic() >= next_report_s:
            next_report_s = time.monotonic() + _REPORT_EVERY_S
            _send(answers, DecodeAnswer(POSITION, position))

    try:
        module, _, name = call.function.partition(":")
        function = getattr(importlib.import_module(module), name)
        _limit_memory(limits.memory_bytes)
        return DecodeAnswer(RESULT, function(*call.arguments, report))
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            return DecodeAnswer(ERROR, RuntimeError(traceback.format_exc()))
        return DecodeAnswer(ERROR, error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _send(answers: BinaryIO, answer: DecodeAnswer) -> None:
    pickle.dump(answer, answers)
    answers.flush()
