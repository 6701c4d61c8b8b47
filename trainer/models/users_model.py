"""A model of the user's own, checked for what imgpipe expects of it."""

from typing import Any

import keras
import numpy as np

from contracts.config.trainer.config import TrainerConfig
from contracts.config.trainer.users_code import UsersCode
from contracts.system.errors import ConfigError
from trainer.users.users_code import call_users_code, load_users_code

KEY = "trainer.model"

# How far the probabilities of an image may be from 1 in sum, also in half precision.
SUM_TOLERANCE = 0.02


def build_users_model(
    code: UsersCode, config: TrainerConfig, size_px: int, classes: int
) -> keras.Model:
    """Return what the user's function makes of size, classes and options, built.

    It is called once on noise, so that a model that ends in logits or in another number of
    classes is refused now and not after hours.

    Raises:
      ConfigError: it cannot be imported, raises, or returns no Keras model that gives
        probabilities [batch, classes].
    """
    function = load_users_code(config.model, KEY)
    arguments = {**config.model_options, "size_px": size_px, "classes": classes}
    model = call_users_code(function, code, KEY, **arguments)
    if not isinstance(model, keras.Model):
        raise ConfigError(
            f"{KEY}: {code}: expected it to return a keras.Model, received "
            f"{'nothing' if model is None else f'a {type(model).__name__}'}."
        )

    def call(pixels: Any) -> Any:
        return call_users_code(model, code, KEY, pixels, training=False)

    if not model.built:
        # Building on noise would fix the batch size of the model to that of the noise.
        call(keras.Input((size_px, size_px, 3), name="pixels"))
    noise = np.random.default_rng(0).uniform(0, 255, (2, size_px, size_px, 3)).astype(np.float32)
    outputs = call(noise)
    _require_probabilities(outputs, code, classes)
    return model


def _require_probabilities(outputs: Any, code: UsersCode, classes: int) -> None:
    if not keras.ops.is_tensor(outputs):
        raise ConfigError(
            f"{KEY}: {code}: expected a model with one output, received a {type(outputs).__name__}."
        )
    shape = (None, *tuple(outputs.shape)[1:])
    if shape != (None, classes):
        raise ConfigError(
            f"{KEY}: {code}: expected a model with output shape {(None, classes)}, "
            f"received {shape}."
        )
    probabilities = keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))
    sums = probabilities.sum(axis=1)
    if not (np.abs(sums - 1) < SUM_TOLERANCE).all() or (probabilities < 0).any():
        raise ConfigError(
            f"{KEY}: {code}: expected probabilities, from 0 on and 1 in sum for each image, "
            f"received values from {probabilities.min():.3g} to {probabilities.max():.3g}, "
            f"{sums[0]:.3g} in sum. End it in "
            "Dense(classes, activation='softmax', dtype='float32')."
        )
