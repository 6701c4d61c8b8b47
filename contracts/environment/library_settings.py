"""What libraries are told before they are imported, where the user has not told them otherwise."""

import os
from typing import Final

from contracts.environment.keras_environment import BACKEND, TENSORFLOW

VARIABLES: Final = {
    # Otherwise ~/.keras/keras.json decides, which may be of another project.
    BACKEND: TENSORFLOW,
    # MLflow reports home what it is used for.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Its own 7 take minutes where no server answers.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    # Weights & Biases reports its own errors home.
    "WANDB_ERROR_REPORTING": "false",
}


def set_library_variables() -> None:
    """Set the variables that are not set, or empty."""
    for name, value in VARIABLES.items():
        os.environ[name] = os.environ.get(name) or value
