"""Opens MLflow's store: a new SQLite file of it appears whole or not at all."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.entities import LifecycleStage, Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from contracts.config.mlflow_uri import sqlite_file, sqlite_uri
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError
from registry.mlflow_files import relocate_files


def open_client(uri: str) -> MlflowClient:
    """Return a client for runs and models at `uri`; a SQLite file may have moved.

    MLflow makes its tables in a hundred steps: a process that is killed between two of them
    would leave a file that no later one can use.
    """
    # Users need not read that tables are created.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    path = sqlite_file(uri)
    if path is not None and not path.exists():
        partial = path.with_name(f".{path.name}.partial")
        partial.unlink(missing_ok=True)
        _client(sqlite_uri(partial)).search_experiments(max_results=1)
        partial.replace(path)
    relocate_files(uri)
    return _client(uri)


@contextmanager
def translated_errors(uri: str, *others: type[Exception]) -> Iterator[None]:
    """Turn what MLflow and its database raise, and `others`, into a sentence.

    Raises:
      ComponentError: one of these came out of the block.
    """
    translated: tuple[type[Exception], ...] = (MlflowException, SQLAlchemyError, *others)
    try:
        yield
    except translated as error:
        cause = str(error).strip().partition("\n")[0]
        raise ComponentError(
            f"tracking.mlflow.uri: expected an MLflow store that answers at {uri}, "
            f"received: {cause}"
        ) from error


def experiment_id(client: MlflowClient, store: TrackingStore) -> str:
    """Return the experiment of the model's name, made where it is missing."""
    experiment = client.get_experiment_by_name(store.name)
    if experiment is not None:
        return str(experiment.experiment_id)
    return str(client.create_experiment(store.name, artifact_location=store.artifact_location))


def active_run(client: MlflowClient, run_id: str) -> Run | None:
    """Return a run; None where it is not in the store, or deleted."""
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise
    return run if run.info.lifecycle_stage == LifecycleStage.ACTIVE else None


def _client(uri: str) -> MlflowClient:
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
