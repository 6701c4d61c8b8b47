"""Classes and functions of the user's own, by name."""

import importlib
from typing import Any

from contracts.errors import ConfigError


def load_users_code(reference: str, key: str) -> Any:
    module, _, name = reference.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{key}: {reference}: {error}") from error


def users_instance(reference: str, key: str, kind: type) -> Any:
    """Return an object of a class of the user's own, made without arguments.

    Args:
      reference: `module:Class`.
      key: of pipeline.yaml, that it stands at.
      kind: what the class has to be derived from.

    Raises:
      ConfigError: it cannot be imported or made, or is of another kind.
    """
    made = load_users_code(reference, key)()
    if not isinstance(made, kind):
        raise ConfigError(
            f"{key}: expected a class derived from keras.{kind.__name__}, received {reference}, "
            f"which makes a {type(made).__name__}."
        )
    return made
