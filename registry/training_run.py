"""The MLflow run of a training, which holds the model once it is pushed."""

import platform
from pathlib import Path

from mlflow.models import Model
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.tracking import MlflowClient

from contracts.artifacts import signatures
from contracts.config.tracking import TrackingStore
from registry.mlflow_store import active_run, open_client, translated_errors
from registry.model_signature import serving_signature

MODEL = "model"  # where MLflow's own flavours put one in a run
SAVED_MODEL = "saved_model"
# mlflow.tensorflow's name for a SavedModel that is called by one of its signatures.
BY_SIGNATURE = "tf1-estimator"


class TrainingRun:
    """A run that is there.

    Raises:
      ComponentError: by every method, where the store does not answer or take what it is given.
    """

    def __init__(self, store: TrackingStore, client: MlflowClient, run_id: str, uri: str) -> None:
        self.run_id = run_id
        self.model_uri = f"{uri}/{MODEL}"  # of what `log_model` puts there
        self._store = store
        self._client = client

    @classmethod
    def find(cls, store: TrackingStore, run_id: str | None) -> "TrainingRun | None":
        """Return the run; None where the training had none, or it is gone from the store."""
        if run_id is None:
            return None
        with translated_errors(store.uri):
            client = open_client(store.uri)
            run = active_run(client, run_id)
        return cls(store, client, run_id, run.info.artifact_uri) if run else None

    def log_model(self, saved_model: Path) -> None:
        """Put a SavedModel into the run as an MLflow model, with the signature that is served.

        `mlflow.pyfunc` loads it. Its MLmodel file, by which MLflow knows it, comes last.
        """
        model = Model(
            artifact_path=MODEL, run_id=self.run_id, signature=serving_signature(saved_model)
        )
        model.add_flavor(
            "python_function",
            loader_module="mlflow.tensorflow",
            python_version=platform.python_version(),
        )
        model.add_flavor(
            "tensorflow",
            saved_model_dir=SAVED_MODEL,
            model_type=BY_SIGNATURE,
            meta_graph_tags=["serve"],
            signature_def_key=signatures.SERVING_DEFAULT,
        )
        with translated_errors(self._store.uri, OSError):
            self._client.log_artifacts(self.run_id, str(saved_model), f"{MODEL}/{SAVED_MODEL}")
            self._client.log_text(self.run_id, model.to_yaml(), f"{MODEL}/{MLMODEL_FILE_NAME}")
