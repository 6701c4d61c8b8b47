"""The errors that users see: sentences, all problems at once, never a trace."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXAMPLES_SHOWN = 5


class PipelineError(Exception):
    """An error whose text is meant for the user, one sentence a problem.

    `str(error)` is the problems, a line each.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type["PipelineError"], tuple[tuple[str, ...]]]:
        """Errors cross process borders whole."""
        return type(self), (self.problems,)


class InputError(PipelineError):
    """What the user gave is wrong: the command ends with exit code 2."""


class ConfigError(InputError):
    """pipeline.yaml, an override of it, or a file that it names is wrong."""


class DataError(InputError):
    """The image folder or table cannot be used as it is."""


class WorkspaceError(InputError):
    """The workspace cannot be written, is full, or is in use by another run."""


class ComponentError(PipelineError):
    """A component could not do its work: the run ends with exit code 1."""


class Problems:
    """Collects what several checks raise, so that the user reads all of it at once."""

    def __init__(self) -> None:
        self._errors: list[InputError] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep the InputError that the block raises, and go on after the block."""
        try:
            yield
        except InputError as error:
            self._errors.append(error)

    def raise_any(self) -> None:
        """Raise what was collected, a single error as it is; return if there is none."""
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise InputError(problem for error in self._errors for problem in error.problems)


class Refusal(ComponentError):
    """A component has done its work and its answer is no; `outputs` says why.

    `outputs` are the output artifacts by key that are whole, and published though the run ends.
    """

    def __init__(
        self,
        problems: str | Iterable[str],
        outputs: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        super().__init__(problems)
        self.outputs = outputs or {}


def in_one_line(error: BaseException) -> str:
    """Return the problems of an error of ours; of any other "Type: first line of its text"."""
    if isinstance(error, PipelineError):
        return " ".join(error.problems)
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def with_log(sentence: str, log: Path) -> str:
    """Return a sentence about a failure, followed by the path of its log."""
    return f"{sentence.rstrip('.')}. Log: {log}"


def some_of(items: Sequence[object], limit: int = EXAMPLES_SHOWN, count: int | None = None) -> str:
    """Return the first `limit` items and how many more there are: "a, b, ... and 35 more".

    `count` is how many there are where `items` are only the first of them.
    """
    shown = ", ".join(str(item) for item in items[:limit])
    rest = (len(items) if count is None else count) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def did_you_mean(word: str, known: list[str]) -> str:
    """Return "did you mean `x`?" for the known word nearest to `word`, "" where none is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean `{near[0]}`?" if near else ""
