"""An augmentation policy -> a function of arrays, by the backend that training uses."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from contracts.config.augmentation.policy import Policy

Array = npt.NDArray[Any]
# pixels [images, size, size, 3] in 0..255 and targets [images, classes] -> the same, float32
AugmentBatch = Callable[[Array, Array], tuple[Array, Array]]


def batch_augmenter(
    policy: Policy, labels: Sequence[str], seed: int, backend: Literal["keras", "albumentations"]
) -> AugmentBatch:
    """Return a function that augments a batch by a policy, differently at every call.

    It runs on the CPU, since a GPU may be in use by a training.

    Raises:
      ComponentError: an exception names an unknown class, or the backend is not installed.
    """
    if backend == "albumentations":
        from trainer.augmentation.albumentations import CpuAugmentation

        on_the_cpu, numbers = CpuAugmentation(policy, labels, seed), itertools.count()
        return lambda pixels, targets: on_the_cpu.augmented(pixels, targets, next(numbers))
    import keras

    from trainer.augmentation import Augmentation

    with keras.device("cpu:0"):
        layer = Augmentation(policy, labels, seed)

    def change(pixels: Array, targets: Array) -> tuple[Array, Array]:
        with keras.device("cpu:0"):
            changed, mixed = layer(pixels.astype(np.float32), targets.astype(np.float32))
            return keras.ops.convert_to_numpy(changed), keras.ops.convert_to_numpy(mixed)

    return change


def single_policies(policy: Policy) -> dict[str, Policy]:
    """Return a policy for each operation alone, RandAugment included, that changes every image."""
    each = {
        operation.name: Policy(operations=(operation.model_copy(update={"probability": 1.0}),))
        for operation in policy.operations
    }
    if policy.rand_augment:
        each["rand_augment"] = Policy(rand_augment=policy.rand_augment)
    return each


def mixing_policies(policy: Policy) -> dict[str, Policy]:
    """Return a policy for MixUp alone and for CutMix alone, as far as they are configured."""
    alphas = {"mixup": policy.mixup, "cutmix": policy.cutmix}
    return {name: Policy.model_validate({name: alpha}) for name, alpha in alphas.items() if alpha}
