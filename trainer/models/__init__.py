"""The models by name."""

from typing import Any

import keras

from contracts.config.trainer.config import IMAGENET, TrainerConfig
from contracts.config.trainer.keras_applications import SMALLEST_PX
from contracts.config.trainer.model_options import IMAGENET_STEM_PX
from trainer.models.backbone import build_backbone
from trainer.models.cnn import build_cnn
from trainer.models.convnext import VARIANTS, build_convnext
from trainer.models.users_model import build_users_model
from trainer.models.weights import load_file, load_imagenet


def build_model(config: TrainerConfig, size_px: int, classes: int) -> keras.Model:
    """Return the model of a trainer section, with the initial weights that it names.

    The model maps float32 [batch, size_px, size_px, 3] in 0..255 to float32 [batch, classes]
    probabilities. The layers of its head are named `head_*` and `probabilities`, except in a model
    of the user's own, which is called as `function(size_px=..., classes=..., **model_options)`.

    Raises:
      ConfigError: the user's code or its model is not what is asked for, a model does not take
        its options or the size, or the weights cannot be had or do not fit.
    """
    network = _build(config, size_px, classes)
    file = config.weights_file()
    if file is not None:
        load_file(network, file)
    return network


def _build(config: TrainerConfig, size_px: int, classes: int) -> keras.Model:
    users_model = config.users_model()
    if users_model is not None:
        return build_users_model(users_model, config, size_px, classes)
    options: Any = config.options()
    imagenet = config.weights == IMAGENET
    if config.model in SMALLEST_PX:
        weights = IMAGENET if imagenet else None
        return build_backbone(config.model, options, size_px, classes, weights)
    if config.model in VARIANTS:
        stem_px = IMAGENET_STEM_PX if imagenet else None
        network = build_convnext(config.model, options, size_px, classes, stem_px)
        if imagenet:
            load_imagenet(network)
        return network
    return build_cnn(options, size_px, classes)
