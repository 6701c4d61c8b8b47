"""Where the trainings of a search or sweep are logged: in MLflow, or nowhere without it."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol

from contracts.config.tracking import TrackingStore


class Runs(Protocol):
    """Takes trainings one by one; as a context manager it ends after the last one."""

    run_id: str  # with which another process resumes the run; empty: there is none

    def add(
        self,
        name: str,
        params: Mapping[str, Any],
        history: Mapping[str, list[float]],
        metrics: Mapping[str, float],
        why: str = "",
    ) -> None:
        """Take a training that has ended: failed where `why` says why.

        `history` holds for each metric its value of each epoch.
        """

    def sum_up(self, best: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Take the results of all of them: the best values by key, and metrics."""

    def __enter__(self) -> "Runs":
        """Begin."""

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""


class NoRuns:
    """Logs nothing; the id of a run that is known stays."""

    def __init__(self, run_id: str = "") -> None:
        self.run_id = run_id

    def add(self, *_: Any) -> None:
        """Log nothing."""

    def sum_up(self, *_: Any) -> None:
        """Log nothing."""

    def __enter__(self) -> "NoRuns":
        return self

    def __exit__(self, *_: object) -> None:
        """End nothing."""


def open_runs(
    store: TrackingStore | None, name: str, params: Mapping[str, Any], run_id: str = ""
) -> Runs:
    """Return a run of this name in the store, or one that logs nothing where there is no store.

    Args:
      store: MLflow's; None: it is switched off, and not imported.
      name: of the run.
      params: of the run, where it begins.
      run_id: of the run to go on with, where the store knows it.

    Raises:
      ComponentError: the store does not answer.
    """
    if store is None:
        return NoRuns(run_id)
    from trainer.search.nested_runs import NestedRuns  # MLflow takes seconds to import

    return NestedRuns(store, name, params, run_id)
