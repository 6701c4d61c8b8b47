"""The `tracking` section of pipeline.yaml, and where the Trainer's trackers write."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.config.mlflow_uri import sqlite_file
from contracts.config.section import Section

ARTIFACTS_FOLDER: Final = "mlflow-artifacts"


class MlflowConfig(Section):
    """Where runs are tracked and models registered."""

    enabled: Annotated[bool, Field(description="false: models are registered all the same")] = True
    uri: Annotated[
        str | None,
        Field(description="a server, a database or sqlite:///file; null: SQLite in the workspace"),
    ] = None
    system_metrics: bool = True


class TensorBoardConfig(Section):
    """Event files in the workspace."""

    enabled: bool = False


class WandbConfig(Section):
    """Weights & Biases."""

    enabled: bool = False
    project: Annotated[
        str | None, Field(min_length=1, max_length=128, description="null: `name`")
    ] = None
    entity: Annotated[str | None, Field(min_length=1, description="null: the key's own")] = None
    mode: Literal["auto", "online", "offline"] = "auto"


class CsvConfig(Section):
    """Tables in the folder of the training's record."""

    enabled: bool = False


class TrackingConfig(Section):
    """Experiment tracking: each by itself, none required."""

    mlflow: MlflowConfig = MlflowConfig()
    tensorboard: TensorBoardConfig = TensorBoardConfig()
    wandb: WandbConfig = WandbConfig()
    csv: CsvConfig = CsvConfig()


class TrackingStore(Section):
    """Where MLflow keeps runs and models; the runner fills it in from `tracking` and `name`."""

    uri: str
    name: str  # of the experiment and of the registered model
    artifact_location: str | None = None  # of an experiment that is made; null: the server's own

    @classmethod
    def at(cls, uri: str, name: str) -> "TrackingStore":
        """Return the store at an address; the folder of a SQLite file holds the files of its runs.

        MLflow's own default is ./mlruns in the working directory.
        """
        file = sqlite_file(uri)
        if file is None:
            return cls(uri=uri, name=name)
        artifacts = file.with_name(ARTIFACTS_FOLDER).absolute()
        return cls(uri=uri, name=name, artifact_location=artifacts.as_uri())


class TrackingPlan(Section):
    """Which trackers follow a training, and where they write; the runner fills it in."""

    tracking: TrackingConfig = TrackingConfig()
    store: TrackingStore
    tensorboard_folder: str  # a folder a run
    wandb_folder: str  # in which wandb makes a folder `wandb`

    @property
    def runs_store(self) -> TrackingStore | None:
        """Where MLflow keeps runs; None while it is switched off for them."""
        return self.store if self.tracking.mlflow.enabled else None
