import pytest

from contracts.config.tracking import TrackingStore


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> TrackingStore:
    """A MLflow store of SQLite; making its tables takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    return TrackingStore(
        uri=f"sqlite:///{folder}/mlflow.db",
        name="stripes",
        artifact_location=(folder / "artifacts").as_uri(),
    )
