"""JPEG compression of images without an encoder, by quantised cosine transforms.

Sources: ITU-T T.81 (1992), Annex A.3.3 and K.1; the scaling of the tables is libjpeg's
(jpeg_quality_scaling). Colours are not subsampled (4:4:4).
"""

from typing import Final

import numpy as np
from keras import ops

from trainer.array_types import FloatArray
from trainer.augmentation.operation_draws import Tensor, within_scale

BLOCK: Final = 8

LUMINANCE: Final = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
CHROMINANCE: Final = np.full((BLOCK, BLOCK), 99)
CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
TABLES: Final = np.stack([LUMINANCE, CHROMINANCE, CHROMINANCE]).reshape(3, -1).astype("float32")

# RGB -> YCbCr (JFIF 1.02), luma shifted to -128..127 as the transform wants it.
YCBCR: Final = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]],
    dtype="float32",
)
RGB: Final = np.linalg.inv(YCBCR).astype("float32")
SHIFT: Final = np.array([128.0, 0.0, 0.0], dtype="float32")


def _cosines() -> FloatArray:
    """Return the two-dimensional transform of a block, float32 [64, 64], orthonormal."""
    k, n = np.arange(BLOCK)[:, None], np.arange(BLOCK)[None, :]
    one = np.cos((2 * n + 1) * k * np.pi / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    one[0] /= np.sqrt(2)
    return np.kron(one, one).astype("float32")


COSINES: Final = _cosines()


def compress(pixels: Tensor, quality: Tensor) -> Tensor:
    """Return the images after compression, each at its own quality.

    Args:
      pixels: float32 [batch, size, size, 3] in 0..255.
      quality: float32 [batch], 1 to 100, rounded to whole numbers as encoders have them.

    Returns:
      float32 like the pixels, whole numbers in 0..255.
    """
    size = pixels.shape[1]
    missing = -size % BLOCK
    padded = pixels
    if missing:
        padded = ops.pad(pixels, ((0, 0), (0, missing), (0, missing), (0, 0)), mode="symmetric")
    shift = ops.convert_to_tensor(SHIFT)
    colours = ops.matmul(ops.round(padded), YCBCR.T) - shift
    blocks = _blocks(ops.round(colours), size + missing)
    steps = _quantisation_steps(quality)[:, None, None]
    kept = ops.round(ops.matmul(blocks, COSINES.T) / steps) * steps
    colours = _image(ops.matmul(kept, COSINES), size + missing)
    decoded = ops.round(ops.matmul(ops.round(colours) + shift, RGB.T))
    return within_scale(decoded[:, :size, :size])


def _quantisation_steps(quality: Tensor) -> Tensor:
    """Return the quantisation steps, [batch, 3, 64], as libjpeg scales its tables."""
    quality = ops.round(quality)[:, None, None]
    percent = ops.where(quality < 50.0, ops.floor(5000.0 / quality), 200.0 - 2.0 * quality)
    tables = ops.convert_to_tensor(TABLES[None])
    return ops.clip(ops.floor((tables * percent + 50.0) / 100.0), 1.0, 255.0)


def _blocks(image: Tensor, size: int) -> Tensor:
    """Return [batch, size, size, 3] as [batch, rows, columns, 3, 64] of blocks."""
    count = size // BLOCK
    split = ops.reshape(image, (-1, count, BLOCK, count, BLOCK, 3))
    ordered = ops.transpose(split, (0, 1, 3, 5, 2, 4))
    return ops.reshape(ordered, (-1, count, count, 3, BLOCK * BLOCK))


def _image(blocks: Tensor, size: int) -> Tensor:
    """Return the image of its blocks."""
    count = size // BLOCK
    split = ops.reshape(blocks, (-1, count, count, 3, BLOCK, BLOCK))
    return ops.reshape(ops.transpose(split, (0, 1, 4, 2, 5, 3)), (-1, size, size, 3))
