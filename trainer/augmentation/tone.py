"""Operations on single pixel values, as Pillow's ImageOps has them.

Each takes pixels, float32 [batch, size, size, 3] in 0..255, what was drawn for the batch, and the
seeds. It returns the pixels of all images as if it were applied to them.
Counts and comparisons are of whole values.
"""

from typing import Final, TypeAlias

import keras
import numpy as np
from keras import ops

from trainer.augmentation.operation_draws import OperationDraw, Tensor, within_scale

Seeds: TypeAlias = keras.random.SeedGenerator

LEVELS: Final = 256

# The highest 0 to 8 bits of a level.
KEPT: Final = LEVELS - 2 ** np.arange(8, -1, -1, dtype="int32")


def auto_contrast(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images with each colour spread over the full scale; a flat one stays."""
    lowest = ops.min(pixels, axis=(1, 2), keepdims=True)
    span = ops.max(pixels, axis=(1, 2), keepdims=True) - lowest
    is_flat = span < 1.0
    scale = ops.where(is_flat, 1.0, (LEVELS - 1.0) / ops.maximum(span, 1.0))
    return within_scale((pixels - ops.where(is_flat, 0.0, lowest)) * scale)


def equalize(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images with the values of each colour about equally frequent, whole numbers.

    A colour with too few values to spread stays, as do those of images below 256 pixels.
    """
    size = pixels.shape[1]
    levels = ops.reshape(ops.cast(ops.round(pixels), "int32"), (-1, size * size, 3))
    rows = ops.shape(levels)[0]
    first = ops.reshape(ops.arange(rows * 3, dtype="int32"), (-1, 1, 3)) * LEVELS
    places = ops.reshape(levels + first, (-1,))
    ones = ops.cast(places >= 0, "float32")
    counts = ops.segment_sum(ones, places, num_segments=rows * 3 * LEVELS)
    counts = ops.cast(ops.reshape(counts, (-1, LEVELS)), "int32")
    equal = ops.reshape(_equalizing(counts), (-1,))
    return ops.reshape(ops.take(equal, places), ops.shape(pixels))


def _equalizing(counts: Tensor) -> Tensor:
    """Return the new value of each level, float32 [rows, 256], from the pixels that have it."""
    up_to = ops.cumsum(counts, axis=1)
    before = up_to - counts
    # All pixels but those of the highest level that occurs.
    highest = ops.max(ops.where(counts > 0, before, 0), axis=1, keepdims=True)
    step = highest // (LEVELS - 1)
    equal = (before + step // 2) // ops.maximum(step, 1)
    own = np.arange(LEVELS, dtype="int32")[None, :]
    return ops.cast(ops.where(step > 0, ops.minimum(equal, LEVELS - 1), own), "float32")


def posterize(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images with the highest bits of every value."""
    bits = ops.cast(ops.round(draw.strengths[:, 0]), "int32")
    kept = ops.reshape(ops.take(ops.convert_to_tensor(KEPT), bits), (-1, 1, 1, 1))
    return ops.cast(ops.bitwise_and(ops.cast(ops.round(pixels), "int32"), kept), "float32")


def solarize(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images with the values from the threshold on inverted."""
    threshold = ops.reshape(draw.strengths[:, 0], (-1, 1, 1, 1))
    is_inverted = ops.cast(ops.round(pixels) >= threshold, "float32")
    return pixels + is_inverted * (LEVELS - 1.0 - 2.0 * pixels)
