"""Turns the exception of a component into the error message for the user."""

import re
from collections.abc import Iterator

from contracts.system.errors import PipelineError, in_one_line
from contracts.system.full_disk import causes

# Beam raises the exception of a worker as a RuntimeError whose text is the worker's trace.
TRACE = "Traceback (most recent call last)"
LAST_LINE_OF_TRACE = re.compile(r"^(?:[\w.]+\.)?(?P<type>\w+): (?P<text>.*)$")
BEAM_STEP = re.compile(r"\s*\[while running '[^']*'\]\s*$")


def failure_sentence(error: BaseException) -> str:
    """Return the cause in one sentence, without a trace."""
    for one in causes(error):
        if isinstance(one, PipelineError):
            return BEAM_STEP.sub("", str(one))
    text = str(error).strip()
    if TRACE in text:
        return _sentence_in_trace(text)
    return in_one_line(error)


def _sentence_in_trace(text: str) -> str:
    for line in reversed(text.splitlines()):
        found = LAST_LINE_OF_TRACE.match(line)
        if found:
            words = BEAM_STEP.sub("", found["text"])
            is_ours = found["type"] in set(_names(PipelineError))
            return words if is_ours else f"{found['type']}: {words}"
    return text.splitlines()[-1]


def _names(error_class: type[Exception]) -> Iterator[str]:
    """Yield the name of the class and of all classes that are derived from it."""
    yield error_class.__name__
    for derived in error_class.__subclasses__():
        yield from _names(derived)
