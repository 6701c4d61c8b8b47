"""Environment variables of libraries, set before the import where the user has not set them."""

import os
from typing import Final

from contracts.environment.keras_environment import BACKEND, TENSORFLOW

VARIABLES: Final = {
    # Otherwise ~/.keras/keras.json decides, which another project may have written.
    BACKEND: TENSORFLOW,
    # MLflow sends usage data to its makers.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # MLflow's default of 7 takes minutes where no server answers.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    # Weights & Biases sends its own errors to its makers.
    "WANDB_ERROR_REPORTING": "false",
}


def set_library_variables() -> None:
    """Set the variables that are not set, or empty."""
    for name, value in VARIABLES.items():
        os.environ[name] = os.environ.get(name) or value
