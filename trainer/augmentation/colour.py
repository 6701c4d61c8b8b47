"""Colour operations: one matrix an image, since all of them are linear in the colours."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from keras import ops

from trainer.augmentation.operation_draws import OperationDraw, Tensor, blended, within_scale

# Brightness of red, green and blue (ITU-R BT.601).
LUMA: Final = np.array([0.299, 0.587, 0.114], dtype="float32")

# RGB -> YIQ, whose I and Q span the plane of colours across the grey axis (NTSC, 1953).
_YIQ: Final = np.array([LUMA, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB: Final = np.linalg.inv(_YIQ)
# A turn is the first + cos * the second + sin * the third; at no turn that is the identity.
_FIXED: Final = _RGB @ np.diag([1, 0, 0]) @ _YIQ
_TURN: Final = (
    _FIXED,
    np.eye(3) - _FIXED,
    _RGB @ np.array([[0, 0, 0], [0, 0, 1], [0, -1, 0]]) @ _YIQ,
)


def recolour(pixels: Tensor, draws: Sequence[OperationDraw]) -> Tensor:
    """Return the images after all operations, in their order, within 0..255.

    An image that none of them is applied to keeps its values to the bit. float32
    [batch, height, width, 3] in and out.
    """
    if not draws:
        return pixels
    mean = ops.mean(pixels, axis=(1, 2))
    matrix = ops.broadcast_to(ops.eye(3, dtype="float32"), (ops.shape(pixels)[0], 3, 3))
    offset = ops.zeros_like(mean)
    brightness = ops.convert_to_tensor(LUMA)
    is_changed = None
    for draw in draws:
        luma = ops.sum((_times(matrix, mean) + offset) * brightness, axis=1, keepdims=True)
        own, shift = MATRICES[draw.name](draw.strengths[:, :1], luma)
        applied = draw.is_applied[:, None]
        matrix = ops.where(applied[..., None], ops.matmul(own, matrix), matrix)
        offset = ops.where(applied, _times(own, offset) + shift, offset)
        any_before = draw.is_applied if is_changed is None else is_changed
        is_changed = ops.logical_or(any_before, draw.is_applied)
    flat = ops.reshape(pixels, (-1, pixels.shape[1] * pixels.shape[2], 3))
    changed = ops.matmul(flat, ops.transpose(matrix, (0, 2, 1))) + offset[:, None, :]
    changed = ops.reshape(within_scale(changed), ops.shape(pixels))
    return blended(pixels, changed, is_changed)


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    return ops.sum(matrix * vector[:, None, :], axis=-1)


def _brightness(factor: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
    return factor[..., None] * ops.eye(3, dtype="float32"), 0.0 * factor


def _contrast(factor: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
    return factor[..., None] * ops.eye(3, dtype="float32"), (1.0 - factor) * luma


def _saturation(factor: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
    grey = ops.ones((3, 1), "float32") * ops.convert_to_tensor(LUMA)
    kept = factor[..., None]
    return kept * ops.eye(3, dtype="float32") + (1.0 - kept) * grey, 0.0 * factor


def _hue(turns: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
    angle = turns[..., None] * (2 * math.pi)
    fixed, cosine, sine = (ops.convert_to_tensor(part, "float32") for part in _TURN)
    return fixed + ops.cos(angle) * cosine + ops.sin(angle) * sine, 0.0 * turns


# Strength, [batch, 1], and mean brightness, [batch, 1] -> matrix, [batch, 3, 3], and what is
# added to the colour, [batch, 1].
MATRICES: Final[Mapping[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
}
