"""A training's parameters and metrics -> MLflow."""

import json
import time

import keras
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunStatus
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from contracts.tracking import TrackingStore
from contracts.training import TrainingRecipe
from trainer.data import ImageDataset
from trainer.mlflow_store import open_client

# A digest longer than this is refused.
MLFLOW_DIGEST_LENGTH = 36


class MlflowRun(keras.callbacks.Callback):
    """One MLflow run: parameters at the start, metrics after each epoch, the end's status.

    As a context manager it marks the run FINISHED, or FAILED where an exception leaves it.
    """

    def __init__(self, store: TrackingStore, recipe: TrainingRecipe, dataset: ImageDataset) -> None:
        super().__init__()
        self._client = open_client(store.uri)
        run = self._client.create_run(_experiment_id(self._client, store))
        self.run_id: str = run.info.run_id
        params = [Param(key, value) for key, value in flat_parameters(recipe).items()]
        self._client.log_batch(self.run_id, params=params)
        self._client.log_inputs(self.run_id, [_dataset_input(store.name, dataset)])

    def __enter__(self) -> "MlflowRun":
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        status = RunStatus.FINISHED if error_type is None else RunStatus.FAILED
        self._client.set_terminated(self.run_id, RunStatus.to_string(status))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Log the epoch's metrics, step = epoch from 1."""
        now_ms = int(time.time() * 1000)
        metrics = [Metric(name, float(value), now_ms, epoch + 1) for name, value in logs.items()]
        self._client.log_batch(self.run_id, metrics=metrics)


def flat_parameters(recipe: TrainingRecipe) -> dict[str, str]:
    """Return the recipe as MLflow parameters, named as in pipeline.yaml: "trainer.epochs"."""
    sections = recipe.model_dump(mode="json")
    flat = {"seed": str(sections.pop("seed"))}
    for section, keys in sections.items():
        flat |= {f"{section}.{key}": str(value) for key, value in keys.items()}
    return flat


def _dataset_input(name: str, dataset: ImageDataset) -> DatasetInput:
    """Return the version of the data as MLflow shows it beside a run."""
    profile = {"classes": len(dataset.labels), **dataset.examples}
    return DatasetInput(
        Dataset(
            name=name,
            digest=dataset.fingerprint[:MLFLOW_DIGEST_LENGTH],
            source_type="imgpipe",
            source=json.dumps({"fingerprint": dataset.fingerprint}),
            profile=json.dumps(profile),
        ),
        [InputTag(MLFLOW_DATASET_CONTEXT, "training")],
    )


def _experiment_id(client: MlflowClient, store: TrackingStore) -> str:
    experiment = client.get_experiment_by_name(store.name)
    if experiment is not None:
        return experiment.experiment_id
    return client.create_experiment(store.name, artifact_location=store.artifact_location)
