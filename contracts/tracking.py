"""The `tracking` section of pipeline.yaml."""

from typing import Annotated

from pydantic import Field

from contracts.section import Section


class MlflowConfig(Section):
    """Where runs are tracked and models registered."""

    uri: Annotated[str | None, Field(description="null: SQLite in the workspace")] = None


class TrackingConfig(Section):
    """Experiment tracking."""

    mlflow: MlflowConfig = MlflowConfig()


class TrackingStore(Section):
    """Where MLflow keeps what it is told; the runner fills it in from `tracking` and `name`."""

    uri: str
    name: str  # of the experiment and of the registered model
    artifact_location: str | None = None  # null: the server's own
