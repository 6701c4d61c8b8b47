"""The findings of the doctor."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

FindingState = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """A line of the doctor's report."""

    name: str
    text: str
    state: FindingState = "ok"
    next_step: str = ""  # of a warning or a problem


def warning(name: str, text: str, next_step: str) -> Finding:
    """Return a finding in spite of which a run works."""
    return Finding(name, text, "warning", next_step)


def problem(name: str, text: str, next_step: str) -> Finding:
    """Return a finding that would stop a run."""
    return Finding(name, text, "problem", next_step)


def problem_from(name: str, sentence: str) -> Finding:
    """Return the sentences of an error as a problem; the last sentence is the next step."""
    text, _, step = sentence.rpartition(". ")
    return problem(name, text, step)


def has_problem(findings: Iterable[Finding]) -> bool:
    """Return whether one of the findings is a problem."""
    return any(finding.state == "problem" for finding in findings)
