"""An exception of a component -> the sentence that a user reads."""

import re
from collections.abc import Iterator

from contracts.system.errors import PipelineError, in_one_line
from contracts.system.full_disk import causes

# Beam hands on an exception of a worker as the text of its trace.
TRACE = "Traceback (most recent call last)"
LAST_LINE_OF_TRACE = re.compile(r"^(?:[\w.]+\.)?(?P<type>\w+): (?P<text>.*)$")
BEAMS_REMARK = re.compile(r"\s*\[while running '[^']*'\]\s*$")


def sentence(error: BaseException) -> str:
    """Return the cause in one sentence, without a trace."""
    for one in causes(error):
        if isinstance(one, PipelineError):
            return BEAMS_REMARK.sub("", str(one))
    text = str(error).strip()
    if TRACE in text:
        return _out_of_trace(text)
    return in_one_line(error)


def _out_of_trace(text: str) -> str:
    for line in reversed(text.splitlines()):
        found = LAST_LINE_OF_TRACE.match(line)
        if found:
            words = BEAMS_REMARK.sub("", found["text"])
            ours = found["type"] in {one.__name__ for one in _subclasses(PipelineError)}
            return words if ours else f"{found['type']}: {words}"
    return text.splitlines()[-1]


def _subclasses(of: type) -> Iterator[type]:
    yield of
    for one in of.__subclasses__():
        yield from _subclasses(one)
