"""The optimisers by name."""

from collections.abc import Iterable
from typing import Any

import keras

from contracts.config.trainer.config import TrainerConfig
from trainer.optimisation.schedules import LearningRate

SGD_MOMENTUM = 0.9

# Weight decay pulls on kernels alone; biases, norms' scales and offsets, and whatever else has
# one axis stay free (He et al., 2019, arXiv:1812.01187, 3.1). Some of them have several axes: the
# biases of attention have one a head, the slopes of PReLU one a pixel.
AXES_OF_A_KERNEL = 2
NO_KERNELS = frozenset({"alpha", "beta", "bias", "gamma", "offset", "scale"})


def build_optimizer(
    config: TrainerConfig, rate: LearningRate | float, weights: Iterable[Any]
) -> Any:
    """Return the configured keras.optimizers.Optimizer.

    Args:
      config: the trainer section.
      rate: its learning rates, or the one that stays until a callback sets another.
      weights: the trainable variables; those that are no kernels are kept from weight decay.
    """
    accumulation = config.gradient_accumulation_steps
    common: dict[str, Any] = {
        "learning_rate": rate,
        "weight_decay": config.weight_decay,
        "global_clipnorm": config.gradient_clip_norm,
        "use_ema": config.ema_momentum > 0,
        "ema_momentum": config.ema_momentum,
        "gradient_accumulation_steps": accumulation if accumulation > 1 else None,
    }
    optimizers = {
        "adamw": lambda: keras.optimizers.AdamW(**common),
        "sgd": lambda: keras.optimizers.SGD(momentum=SGD_MOMENTUM, nesterov=True, **common),
        "lion": lambda: keras.optimizers.Lion(**common),
    }
    optimizer = optimizers[config.optimizer]()
    free = [weight for weight in weights if not _is_kernel(weight)]
    if config.weight_decay and free:
        optimizer.exclude_from_weight_decay(var_list=free)
    return optimizer


def _is_kernel(weight: Any) -> bool:
    """Return whether a weight is a kernel, by its axes and the words of its name."""
    is_named_otherwise = NO_KERNELS.intersection(weight.name.split("_"))
    return len(weight.shape) >= AXES_OF_A_KERNEL and not is_named_otherwise
