"""What Keras reads when it is imported: KERAS_BACKEND, and the user's keras.json.

A valid keras.json has no effect: `set_library_variables` sets the backend, and
`trainer.keras_settings` sets the rest. While it is invalid, Keras cannot be imported.
"""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from contracts.system.errors import ConfigError

BACKEND: Final = "KERAS_BACKEND"
# Keras's names of its backends.
TENSORFLOW: Final = "tensorflow"
JAX: Final = "jax"
TORCH: Final = "torch"
ALL_BACKENDS: Final = (TENSORFLOW, JAX, TORCH)

# What Keras takes for each key of keras.json (keras.src.backend.config).
ALLOWED: Final = {
    "floatx": ("float32", "float16", "float64"),
    "image_data_format": ("channels_last", "channels_first"),
}


def require_keras(*backends: str) -> None:
    """Return only if Keras can be imported with one of these backends, TensorFlow by default.

    Raises:
      ConfigError: KERAS_BACKEND names another one, or keras.json is invalid; all problems.
    """
    problems = backend_problems(*backends or (TENSORFLOW,)) + keras_json_problems()
    if problems:
        raise ConfigError(problems)


def backend_problems(*backends: str) -> list[str]:
    """Return what is wrong with KERAS_BACKEND where Keras has to run on one of `backends`."""
    name = os.environ.get(BACKEND) or TENSORFLOW
    if name not in backends:
        expected = f"{BACKEND}: expected {' or '.join(backends)}, received {name!r}."
        alternative = ", or train with `imgpipe-train`" if name in ALL_BACKENDS else ""
        return [f"{expected} Unset it{alternative}."]
    if find_spec(name) is None:
        return [
            f"{BACKEND}: expected an installed backend, received {name!r}, which is not installed. "
            f"Install it, or set {BACKEND} to another of {', '.join(backends)}."
        ]
    return []


def keras_json_problems() -> list[str]:
    """Return what keeps Keras from being imported in the user's keras.json."""
    path = _keras_json()
    step = "Correct the file, or remove it."
    try:
        settings: Any = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return []  # Keras takes its defaults where the file is no JSON
    except OSError as error:
        return [f"{path}: expected a file that can be read, received: {error.strerror}. {step}"]
    if not isinstance(settings, dict):
        return [f"{path}: expected a JSON object, received {json.dumps(settings)[:60]}. {step}"]
    problems = [
        f"{path}: {key}: expected one of {', '.join(allowed)}, received {settings[key]!r}. {step}"
        for key, allowed in ALLOWED.items()
        if settings.get(key, allowed[0]) not in allowed
    ]
    if not isinstance(settings.get("epsilon", 0.0), float):
        given = settings["epsilon"]
        problems.append(
            f"{path}: epsilon: expected a number such as 1e-7, received {given!r}. {step}"
        )
    return problems


def _keras_json() -> Path:
    """Return where Keras looks for its settings, as keras.src.backend.config does."""
    home = os.environ.get("KERAS_HOME")
    if home is None:
        users = Path("~").expanduser()
        home = str((users if os.access(users, os.W_OK) else Path("/tmp")) / ".keras")
    return Path(home, "keras.json").expanduser()
