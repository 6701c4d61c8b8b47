"""MixUp (Zhang et al., 2018, arXiv:1710.09412) and CutMix (Yun et al., 2019, arXiv:1905.04899)."""

from typing import Final

import keras
import numpy as np
from keras import ops

from trainer.array_types import FloatArray
from trainer.augmentation.operation_draws import Tensor

# Points of the inverse distribution function that shares are read from.
QUANTILES: Final = 1025


class Mixing:
    """Mixes each image, and its targets, with the one before it in the batch.

    The share that an image keeps is drawn for each by itself from Beta(alpha, alpha). Where both
    are on, every batch takes one of them, each as often as the other.
    """

    def __init__(self, mixup: float, cutmix: float) -> None:
        self.is_on = bool(mixup or cutmix)
        self._mixup = _quantiles(mixup) if mixup else None
        self._cutmix = _quantiles(cutmix) if cutmix else None

    def __call__(
        self, pixels: Tensor, targets: Tensor, seeds: keras.random.SeedGenerator
    ) -> tuple[Tensor, Tensor]:
        """Return mixed pixels, float32 [batch, size, size, 3], and targets, [batch, classes]."""
        batch = ops.shape(pixels)[0]
        drawn = keras.random.uniform((batch, 4), dtype="float32", seed=seeds)
        kept = self._kept(pixels.shape[1], drawn)
        share = ops.mean(kept, axis=(1, 2, 3))[:, None]
        other = ops.roll(pixels, 1, axis=0)
        mixed_targets = targets * share + ops.roll(targets, 1, axis=0) * (1.0 - share)
        return other + kept * (pixels - other), mixed_targets

    def _kept(self, size: int, drawn: Tensor) -> Tensor:
        """Return how much each pixel keeps of its own image, [batch, size, size, 1]."""
        mixup = cutmix = None
        if self._mixup is not None:
            ones = ops.ones((1, size, size, 1), "float32")
            mixup = ops.reshape(_read(self._mixup, drawn[:, 0]), (-1, 1, 1, 1)) * ones
        if self._cutmix is not None:
            is_cut = _is_cut(_read(self._cutmix, drawn[:, 0]), drawn[:, 1:3], size)
            cutmix = 1.0 - ops.cast(is_cut, "float32")[..., None]
        if mixup is None or cutmix is None:
            return cutmix if mixup is None else mixup
        return ops.where(drawn[0, 3] < 0.5, mixup, cutmix)


def _is_cut(share: Tensor, centre: Tensor, size: int) -> Tensor:
    """Return where the other image shows: a square of 1 - share of the area, cut at the border."""
    half = ops.sqrt(1.0 - share)[:, None] * (size / 2)
    middle = ops.arange(size, dtype="float32")[None, :] + 0.5
    columns, rows = (ops.abs(middle - centre[:, axis, None] * size) < half for axis in (0, 1))
    return ops.logical_and(rows[:, :, None], columns[:, None, :])


def _quantiles(alpha: float) -> FloatArray:
    """Return the inverse distribution function of Beta(alpha, alpha) at even steps.

    A table is the same on every backend, and compiles everywhere; gamma variates do not.
    """
    grid = np.sin(np.linspace(0, np.pi / 2, 20001)) ** 2  # dense where the density may be high
    middle = (grid[1:] + grid[:-1]) / 2
    log_density = (alpha - 1) * (np.log(middle) + np.log1p(-middle))
    weight = np.exp(log_density - log_density.max()) * np.diff(grid)
    cumulated = np.concatenate([[0.0], np.cumsum(weight)])
    levels = np.linspace(0, cumulated[-1], QUANTILES)
    return np.interp(levels, cumulated, grid).astype("float32")


def _read(quantiles: FloatArray, uniform: Tensor) -> Tensor:
    at = uniform * (QUANTILES - 1)
    below = ops.minimum(ops.cast(at, "int32"), QUANTILES - 2)
    low, high = ops.take(quantiles, below), ops.take(quantiles, below + 1)
    return low + (at - ops.cast(below, "float32")) * (high - low)
