"""Many trainings as one MLflow run, with a run below it for each of them."""

import time
from collections.abc import Mapping
from typing import Any

from mlflow.entities import Metric, Param, RunStatus, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from contracts.config.tracking import TrackingStore
from registry.mlflow_store import active_run, experiment_id, open_client, translated_errors


class NestedRuns:
    """The parent run, with a run below it for each training that is added.

    As a context manager it ends the parent: FINISHED, KILLED by an interruption, or FAILED where
    another exception leaves it.

    Every method raises ComponentError where the store does not answer.
    """

    def __init__(
        self, store: TrackingStore, name: str, params: Mapping[str, Any], run_id: str = ""
    ) -> None:
        """Go on with the run `run_id` where the store's experiment has it, else begin one.

        One that was deleted is not there; a new one has `params`.

        Runs below it that did not end are removed: they are logged again.
        """
        self._uri = store.uri
        with translated_errors(self._uri):
            self._client = open_client(store.uri)
            self._experiment_id = experiment_id(self._client, store)
            if run_id and self._has(run_id):
                self.run_id = run_id
                self._client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
                self._remove_partial_runs()
            else:
                run = self._client.create_run(self._experiment_id, tags={MLFLOW_RUN_NAME: name})
                self.run_id = run.info.run_id
                self._log_params(self.run_id, params)

    def add(
        self,
        name: str,
        params: Mapping[str, Any],
        history: Mapping[str, list[float]],
        metrics: Mapping[str, float],
        why: str = "",
    ) -> None:
        """Add a training that has ended: FAILED where `why` says why, else FINISHED.

        Args:
          name: of the run.
          params: what it differs in from the others.
          history: metric -> value of each epoch.
          metrics: what came of it as a whole.
          why: it failed.
        """
        now_ms = int(time.time() * 1000)
        logged = [Metric(key, value, now_ms, 0) for key, value in metrics.items()]
        for key, values in history.items():
            logged += [Metric(key, value, now_ms, at) for at, value in enumerate(values, start=1)]
        tags = {MLFLOW_RUN_NAME: name, MLFLOW_PARENT_RUN_ID: self.run_id}
        status = RunStatus.FAILED if why else RunStatus.FINISHED
        with translated_errors(self._uri):
            run = self._client.create_run(
                self._experiment_id, tags=tags | ({"failure": why} if why else {})
            )
            self._log_params(run.info.run_id, params)
            self._client.log_batch(run.info.run_id, metrics=logged)
            self._client.set_terminated(run.info.run_id, RunStatus.to_string(status))

    def sum_up(self, best: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Log the results of all of them in the parent run: the best values by key, and metrics."""
        now_ms = int(time.time() * 1000)
        with translated_errors(self._uri):
            self._client.log_batch(
                self.run_id,
                metrics=[Metric(key, value, now_ms, 0) for key, value in metrics.items()],
                tags=[RunTag(f"best.{key}", str(value)) for key, value in best.items()],
            )

    def __enter__(self) -> "NestedRuns":
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        status = RunStatus.FINISHED
        if error_type is not None:
            interrupted = issubclass(error_type, KeyboardInterrupt)
            status = RunStatus.KILLED if interrupted else RunStatus.FAILED
        with translated_errors(self._uri):
            self._client.set_terminated(self.run_id, RunStatus.to_string(status))

    def _log_params(self, run_id: str, params: Mapping[str, Any]) -> None:
        self._client.log_batch(
            run_id, params=[Param(key, str(value)) for key, value in params.items()]
        )

    def _remove_partial_runs(self) -> None:
        wanted = (
            f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self.run_id}' AND attributes.status = 'RUNNING'"
        )
        for run in self._client.search_runs([self._experiment_id], wanted):
            self._client.delete_run(run.info.run_id)

    def _has(self, run_id: str) -> bool:
        run = active_run(self._client, run_id)
        return run is not None and run.info.experiment_id == self._experiment_id
