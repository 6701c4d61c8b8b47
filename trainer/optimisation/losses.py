"""The loss by name, and the weight of each class in it."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from contracts.config.class_names import CLASS_WEIGHTS, unknown_classes
from contracts.config.trainer.config import TrainerConfig
from contracts.system.errors import ConfigError
from trainer.array_types import FloatArray
from trainer.users.users_code import users_instance

# Of Lin et al., 2017, arXiv:1708.02002; their alpha is what `class_weights` are for.
FOCAL_GAMMA = 2.0


def build_loss(config: TrainerConfig) -> Any:
    """Return the keras.losses.Loss of probabilities against targets, both [batch, classes]."""
    smoothing = config.label_smoothing
    if config.loss == "cross_entropy":
        return keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    if config.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=FOCAL_GAMMA, label_smoothing=smoothing
        )
    return users_instance(config.loss, "trainer.loss", keras.losses.Loss)


def class_weights(
    config: TrainerConfig, labels: Sequence[str], counts: Sequence[int]
) -> FloatArray | None:
    """Return the weight of each class in the loss, float32 [classes]; None: all equal.

    Args:
      config: the trainer section.
      labels: the classes in order.
      counts: the training images of each.

    Raises:
      ConfigError: a weight is given to a class that there is not.
    """
    given = config.class_weights
    if given == "none":
        return None
    if given == "balanced":
        # A class without images weighs nothing; the mean over the images is 1.
        present = np.asarray(counts, np.float64)
        weights = np.divide(
            present.sum(), present * (present > 0).sum(), where=present > 0, out=present * 0
        )
        return weights.astype(np.float32)
    unknown = unknown_classes(CLASS_WEIGHTS, given, labels)
    if unknown:
        raise ConfigError(unknown)
    return np.array([given.get(label, 1.0) for label in labels], np.float32)
