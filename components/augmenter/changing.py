"""A policy as a function of arrays, by the backend that training uses."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from contracts.config.augmentation.policy import Policy

Array = npt.NDArray[Any]
# pixels [images, size, size, 3] in 0..255 and targets [images, classes] -> the same, float32
Change = Callable[[Array, Array], tuple[Array, Array]]


def changing(
    policy: Policy, labels: Sequence[str], seed: int, backend: Literal["keras", "albumentations"]
) -> Change:
    """Return what a policy does to a batch, another time at every call.

    It runs on the CPU: a GPU may be training meanwhile.

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
    """Return each operation as a policy of its own that changes every image, and RandAugment's."""
    each = {
        operation.name: Policy(operations=(operation.model_copy(update={"probability": 1.0}),))
        for operation in policy.operations
    }
    if policy.rand_augment:
        each["rand_augment"] = Policy(rand_augment=policy.rand_augment)
    return each


def mixing_policies(policy: Policy) -> dict[str, Policy]:
    """Return each way of mixing images as a policy of its own."""
    alphas = {"mixup": policy.mixup, "cutmix": policy.cutmix}
    return {name: Policy.model_validate({name: alpha}) for name, alpha in alphas.items() if alpha}
