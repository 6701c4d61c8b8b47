"""One thing that was looked at, and how it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """A line of the doctor's report."""

    name: str
    text: str
    state: State = "ok"
    next_step: str = ""  # of what is not ok


def warning(name: str, text: str, next_step: str) -> Finding:
    """Return what a run survives."""
    return Finding(name, text, "warning", next_step)


def problem(name: str, text: str, next_step: str) -> Finding:
    """Return what would stop a run."""
    return Finding(name, text, "problem", next_step)


def problem_in(name: str, sentence: str) -> Finding:
    """Return the problem that the sentence of a refusal tells; its last part is the next step."""
    text, _, step = sentence.rpartition(". ")
    return problem(name, text, step)


def would_stop_a_run(findings: Iterable[Finding]) -> bool:
    """Tell whether there is a problem among the findings."""
    return any(finding.state == "problem" for finding in findings)
