"""Operations on pixels and their neighbours: sharpness, blur, noise, JPEG, erasing.

Each takes pixels, float32 [batch, size, size, 3] in 0..255, what was drawn for the batch, and the
seeds. It returns the pixels of all images as if it were applied to them.
"""

import math
from typing import Final, TypeAlias

import keras
import numpy as np
from keras import ops

from trainer.array_types import FloatArray, IntArray
from trainer.augmentation import jpeg
from trainer.augmentation.operation_draws import OperationDraw, Tensor, within_scale

Seeds: TypeAlias = keras.random.SeedGenerator

# Largest aspect ratio of the erased rectangle, as a logarithm (Zhong et al., 2017: 0.3).
LOG_ASPECT: Final = math.log(1 / 0.3)

# Below this standard deviation, in pixels, a Gaussian is nothing but its middle.
SHARPEST_PX: Final = 1e-3


def sharpen(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images sharper than they were, or smoother where the strength is below 1.

    A smooth pixel is the mean of its 3 x 3 neighbourhood, in which it counts 5 times; border pixels
    stay as they are. The sums are matrix products: otherwise XLA would repeat all earlier
    operations for each neighbour.
    """
    size = pixels.shape[1]
    columns = ops.matmul(_threes(size), ops.reshape(pixels, (-1, size, size * 3)))
    columns = ops.reshape(columns, (-1, size - 2, size, 3))
    nine = columns[:, :, :-2] + columns[:, :, 1:-1] + columns[:, :, 2:]
    detail = (9.0 * pixels[:, 1:-1, 1:-1] - nine) / 13.0
    detail = ops.pad(detail, ((0, 0), (1, 1), (1, 1), (0, 0)))
    more = ops.reshape(draw.strengths[:, 0] - 1.0, (-1, 1, 1, 1))
    return within_scale(pixels + more * detail)


def _threes(size: int) -> FloatArray:
    """Return the matrix that sums three neighbours, float32 [size - 2, size]."""
    at = np.arange(size)[None, :] - np.arange(size - 2)[:, None]
    return ((at >= 0) & (at < 3)).astype("float32")


def blur(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images blurred by Gaussians, beyond the border their mirror image."""
    size = pixels.shape[1]
    sigma = ops.maximum(draw.strengths[:, 0] * size, SHARPEST_PX)[:, None, None]
    weights: Tensor = 0.0
    for position in _mirrored(size):
        distance = (position[None, :] - np.arange(size)[:, None]).astype("float32")
        weights = weights + ops.exp(-0.5 * ops.square(ops.convert_to_tensor(distance) / sigma))
    weights = weights / ops.sum(weights, axis=-1, keepdims=True)
    down = ops.matmul(weights, ops.reshape(pixels, (-1, size, size * 3)))
    turned = ops.transpose(ops.reshape(down, (-1, size, size, 3)), (0, 2, 1, 3))
    across = ops.matmul(weights, ops.reshape(turned, (-1, size, size * 3)))
    return ops.transpose(ops.reshape(across, (-1, size, size, 3)), (0, 2, 1, 3))


def _mirrored(size: int) -> list[IntArray]:
    """Return where each pixel lies, and where its mirror images before and behind it lie."""
    at = np.arange(size)
    return [at, -1 - at, 2 * size - 1 - at]


def add_noise(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images with Gaussian noise, within 0..255.

    Two samples of noise are drawn a batch. Each image gets them weighted by cosine and sine of an
    angle of its own: that is exactly Gaussian, at the cost of a few random numbers.
    """
    sheets = keras.random.normal((2, *pixels.shape[1:]), dtype="float32", seed=seeds)
    angle = draw.places[:, 0] * (2 * math.pi)
    deviation = draw.strengths[:, 0] * 255.0
    one = ops.reshape(deviation * ops.cos(angle), (-1, 1, 1, 1))
    other = ops.reshape(deviation * ops.sin(angle), (-1, 1, 1, 1))
    return within_scale(pixels + one * sheets[0] + other * sheets[1])


def compress(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images as JPEG leaves them."""
    return jpeg.compress(pixels, draw.strengths[:, 0])


def erase(pixels: Tensor, draw: OperationDraw, seeds: Seeds) -> Tensor:
    """Return the images with a rectangle of noise, another rectangle in each.

    All images of a batch share the noise, which makes no difference to a network.
    """
    size = pixels.shape[1]
    area, root = draw.strengths[:, 0], ops.exp(LOG_ASPECT * (draw.places[:, 0] - 0.5))
    width = ops.minimum(ops.sqrt(area) * root, 1.0) * size
    height = ops.minimum(ops.sqrt(area) / root, 1.0) * size
    is_column = _is_between(draw.places[:, 1] * (size - width), width, size)
    is_row = _is_between(draw.places[:, 2] * (size - height), height, size)
    is_covered = ops.logical_and(is_row[:, :, None], is_column[:, None, :])
    noise = keras.random.uniform((1, *pixels.shape[1:]), maxval=255.0, dtype="float32", seed=seeds)
    mask = ops.cast(is_covered, "float32")[..., None]
    return pixels + mask * (noise - pixels)


def _is_between(start: Tensor, length: Tensor, size: int) -> Tensor:
    middle = ops.arange(size, dtype="float32")[None, :] + 0.5
    start = start[:, None]
    return ops.logical_and(middle >= start, middle < start + length[:, None])
