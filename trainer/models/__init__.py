"""The models by name."""

import importlib
from collections.abc import Callable
from typing import Any

import keras

from contracts.errors import ConfigError
from contracts.training import TrainerConfig
from trainer.models.cnn import build_cnn
from trainer.models.convnext import VARIANTS, build_convnext

Builder = Callable[..., keras.Model]


def build_model(config: TrainerConfig, size_px: int, classes: int) -> keras.Model:
    """Return the untrained model of a trainer section.

    The model maps float32 [batch, size_px, size_px, 3] in 0..255 to float32 [batch, classes]
    probabilities. A model of the user's own, `module:function`, is called as
    `function(size_px=..., classes=..., **model_options)`.

    Raises:
      ConfigError: the user's module or function cannot be imported, or its model does not
        give [batch, classes].
    """
    users_model = config.users_model()
    if users_model is not None:
        return _build_users_model(*users_model, config, size_px, classes)
    options: Any = config.options()
    if config.model in VARIANTS:
        return build_convnext(config.model, options, size_px, classes)
    return build_cnn(options, size_px, classes)


def _build_users_model(
    module_name: str, function_name: str, config: TrainerConfig, size_px: int, classes: int
) -> keras.Model:
    try:
        builder: Builder = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"trainer.model: expected an importable `module:function`, received "
            f"{config.model!r} ({error}). Install the module into this environment."
        ) from error
    model = builder(size_px=size_px, classes=classes, **config.model_options)
    expected = (None, classes)
    if tuple(model.output_shape) != expected:
        raise ConfigError(
            f"trainer.model: {config.model}: expected a model with output shape {expected}, "
            f"received {tuple(model.output_shape)}."
        )
    return model
