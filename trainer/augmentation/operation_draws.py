"""Draws which images of a batch each operation changes, and how strongly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from keras import ops

from contracts.config.augmentation.policy import Policy, PolicyOperation, RandAugmentPolicy

Tensor = Any


@dataclass(frozen=True)
class Needs:
    """How many random numbers an operation takes an image.

    `strengths` are drawn from its range, each by itself; `places` from 0 to 1.
    """

    strengths: int = 0
    places: int = 0


NEEDS: Final[Mapping[str, Needs]] = {
    "dihedral": Needs(places=1),
    "flip_horizontal": Needs(),
    "flip_vertical": Needs(),
    "crop": Needs(strengths=1, places=3),  # places: aspect, x, y
    "crop_and_pad": Needs(strengths=4),  # left, right, top, bottom
    "zoom": Needs(strengths=1),
    "rotate": Needs(strengths=1),
    "shear": Needs(strengths=1, places=1),  # places: rows or columns
    "translate": Needs(strengths=2),  # x, y
    "brightness": Needs(strengths=1),
    "contrast": Needs(strengths=1),
    "saturation": Needs(strengths=1),
    "hue": Needs(strengths=1),
    "auto_contrast": Needs(),
    "equalize": Needs(),
    "posterize": Needs(strengths=1),
    "solarize": Needs(strengths=1),
    "sharpness": Needs(strengths=1),
    "blur": Needs(strengths=1),
    "noise": Needs(strengths=1, places=1),  # places: angle
    "jpeg_compression": Needs(strengths=1),
    "random_erasing": Needs(strengths=1, places=3),  # places: aspect, x, y
}

# Operations of RandAugment whose strength has no sign.
ONE_SIDED: Final = frozenset({"posterize", "solarize", "blur", "noise", "jpeg_compression"})


@dataclass(frozen=True)
class OperationDraw:
    """What was drawn for one operation: what it does to each image of a batch.

    `is_applied` is bool [batch]; `strengths` and `places` are float32 [batch, as many as needed].
    """

    name: str
    is_applied: Tensor
    strengths: Tensor
    places: Tensor


class OperationSequence:
    """The operations of a policy in order; `draw` draws the numbers of a batch at once."""

    def __init__(
        self,
        operations: Sequence[PolicyOperation],
        rand_augment: RandAugmentPolicy | None,
        labels: Any,
    ) -> None:
        self.operations = (*operations, *(rand_augment.pool if rand_augment else ()))
        self._own = len(operations)
        self._rand_augment = rand_augment
        self._spared = [
            np.isin(labels, operation.exceptions) if operation.exceptions else None
            for operation in self.operations
        ]

    def draw(self, targets: Tensor, seeds: keras.random.SeedGenerator) -> list[OperationDraw]:
        """Return what is drawn for each operation, in order, for images of these classes."""
        needed = [NEEDS[operation.name] for operation in self.operations]
        columns = [1 + needs.strengths + needs.places for needs in needed]
        batch = ops.shape(targets)[0]
        drawn = keras.random.uniform((batch, sum(columns)), dtype="float32", seed=seeds)
        level, limit = self._levels(drawn, np.cumsum([0, *columns]), batch, seeds)
        draws, start = [], 0
        for number, (operation, needs) in enumerate(zip(self.operations, needed, strict=True)):
            chance = drawn[:, start]
            strengths = drawn[:, start + 1 : start + 1 + needs.strengths]
            places = drawn[:, start + 1 + needs.strengths : start + columns[number]]
            if number < self._own:
                is_applied = chance < operation.probability
                strengths = _within(operation, strengths)
            else:
                is_applied = chance <= limit
                strengths = _at_level(operation, strengths, level)
            if self._spared[number] is not None:
                is_spared = ops.take(ops.convert_to_tensor(self._spared[number]), _class(targets))
                is_applied = ops.logical_and(is_applied, ops.logical_not(is_spared))
            draws.append(OperationDraw(operation.name, is_applied, strengths, places))
            start += columns[number]
        return draws

    def _levels(
        self, drawn: Tensor, starts: Any, batch: Any, seeds: keras.random.SeedGenerator
    ) -> tuple[Tensor, Tensor]:
        """Return RandAugment's magnitude of each image, and the highest drawn number that picks."""
        if self._rand_augment is None:
            return None, None
        chances = ops.stack([drawn[:, int(start)] for start in starts[self._own : -1]], axis=1)
        limit = ops.sort(chances, axis=1)[:, self._rand_augment.operations - 1]
        magnitude, deviation = self._rand_augment.magnitude, self._rand_augment.deviation
        normal = keras.random.normal((batch, 1), dtype="float32", seed=seeds)
        return ops.clip(magnitude + deviation * normal, 0.0, 10.0), limit


def blended(pixels: Tensor, changed: Tensor, is_changed: Tensor) -> Tensor:
    """Return the changed images where bool [batch] says so, the others to the bit.

    An arithmetic mask: on a CPU a selection that is broadcast takes ten times as long.
    """
    mask = ops.reshape(ops.cast(is_changed, "float32"), (-1, 1, 1, 1))
    return pixels + mask * (changed - pixels)


def within_scale(pixels: Tensor) -> Tensor:
    """Return the pixels within 0..255."""
    return ops.minimum(ops.maximum(pixels, 0.0), 255.0)


def operation_sequence(policy: Policy, labels: Sequence[str]) -> OperationSequence:
    """Return what a policy does to single images of these classes.

    Random erasing comes last: what it covers nothing shows again.
    """
    erasing = [operation for operation in policy.operations if operation.name == "random_erasing"]
    before = [operation for operation in policy.operations if operation.name != "random_erasing"]
    return OperationSequence([*before, *erasing], policy.rand_augment, list(labels))


def _class(targets: Tensor) -> Tensor:
    return ops.argmax(targets, axis=-1)


def _within(operation: PolicyOperation, uniform: Tensor) -> Tensor:
    if operation.range is None:
        return uniform
    low, high = operation.range
    return low + (high - low) * uniform


def _at_level(operation: PolicyOperation, uniform: Tensor, level: Tensor) -> Tensor:
    """Return the strengths of a magnitude, to a random side of the neutral one."""
    neutral, strongest = operation.range or (0.0, 0.0)
    way = (strongest - neutral) * level / 10.0
    if operation.name in ONE_SIDED:
        return neutral + way + 0.0 * uniform
    return ops.where(uniform < 0.5, neutral + way, neutral - way)
