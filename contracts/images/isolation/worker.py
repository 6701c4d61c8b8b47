"""A process that runs functions for its parent: pickled calls come in, pickled answers go out.

Hostile images end here: a crash of a decoder takes this process along and nothing else. Only
what decoding needs is imported, whatever the parent's own main module is.
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

PositionReport = Callable[[int], None]  # is called with the position of an image

_REPORT_EVERY_S = 0.2
_OBJECTS_A_COLLECTION = 10_000


class DecodeLimits(NamedTuple):
    """What a process may take: seconds for each image, and bytes of memory besides its own."""

    seconds: float
    memory_bytes: int


class DecodeCall(NamedTuple):
    """A function "module:name", its arguments but the last one, which is its `report`.

    `is_careful` asks for a report of every position, so that the one that crashes is known.
    """

    function: str
    arguments: tuple[Any, ...]
    is_careful: bool


class DecodeAnswer(NamedTuple):
    """What a call says: `value` is a position, a result, an exception, or None at the start."""

    kind: str  # READY, POSITION, RESULT or ERROR
    value: Any = None


READY, POSITION, RESULT, ERROR = "ready", "position", "result", "error"


def serve(limits: DecodeLimits) -> None:
    """Answer calls until the parent closes the input.

    An image that takes too long ends the process by SIGALRM, whatever its decoder does: the
    kernel asks nobody. One that takes too much memory meets a MemoryError.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when this ends
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Libraries write warnings straight to these; answers have to stay clean of them.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    prepare()  # while the parent still looks for images
    gc.freeze()  # what was imported stays: no need to look through it again and again
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
    """Let this process take so much more than it has after its first imports, once."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + more_bytes
    if most == resource.RLIM_INFINITY or limit < most:
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _answer(call: DecodeCall, answers: BinaryIO, limits: DecodeLimits) -> DecodeAnswer:
    """Run a call. Errors that cannot be pickled are sent as their trace."""
    next_report_s = 0.0

    def report(position: int) -> None:
        nonlocal next_report_s
        signal.setitimer(signal.ITIMER_REAL, limits.seconds)
        if call.is_careful or time.monotonic() >= next_report_s:
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
