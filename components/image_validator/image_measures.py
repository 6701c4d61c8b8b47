"""One image -> the measures that the checks read.

Imports neither TensorFlow nor TFX nor Beam: decode processes run this.
"""

import io
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]

# Sizes that images are scaled to, in pixels of the longer side or of both.
SHARPNESS_PX = 256  # no classifier reads a larger one
COLOUR_PX = 64
HASH_PX = 32
MINIATURE_PX = 16

_HASH_SIDE = 8
_LEVELS, _LEVEL_BITS = 256, 8
_MAX_LEVEL = _LEVELS - 1
_COLOUR_BITS = 4  # of each channel, for the count of colours
_SHARPEST = 0.99
_GREY_SPREAD = 2
# Weighs neighbours by their distance: two steps of scaling give the same as one.
_SAMPLING = Image.Resampling.BILINEAR
_BRIGHTNESS_WEIGHTS = np.array([0.241, 0.691, 0.068], np.float32)
# The lowest frequencies of the discrete cosine transform (type II).
_COSINES = np.cos(
    np.pi / HASH_PX * (np.arange(HASH_PX) + 0.5) * np.arange(_HASH_SIDE)[:, np.newaxis]
)


class SmallImage(NamedTuple):
    """An image at the sizes of the measures; all arrays are uint8."""

    pixels: Array  # [height, width, 3], at most COLOUR_PX
    grey: Array  # [height, width], at most SHARPNESS_PX
    hashed: Array  # grey, [HASH_PX, HASH_PX]
    miniature: bytes  # [MINIATURE_PX, MINIATURE_PX, 3]
    entropy: float


def scale_image(encoded: bytes) -> SmallImage:
    """Return an image, canonical JPEG or PNG bytes, at the sizes of the measures.

    Raises:
      ValueError: the bytes are no image.
    """
    image = open_image(encoded, SHARPNESS_PX)
    # Averaging keeps the sharpness of edges.
    grey = _in_mode("L", _shrink(image, SHARPNESS_PX, Image.Resampling.BOX))
    small = _in_mode("RGB", _shrink(image, COLOUR_PX, _SAMPLING))
    small_grey = grey if grey.size == small.size else _in_mode("L", small)
    return SmallImage(
        np.asarray(small),
        np.asarray(grey),
        np.asarray(small_grey.resize((HASH_PX, HASH_PX), _SAMPLING)),
        small.resize((MINIATURE_PX, MINIATURE_PX), _SAMPLING).tobytes(),
        small.entropy(),
    )


def open_image(encoded: bytes, enough_px: int) -> Image.Image:
    """Return an image, grey or RGB; a JPEG with more pixels than asked for may have fewer.

    JPEGs are decoded at an eighth, a fourth or half of their size if that is enough.

    Raises:
      ValueError: the bytes are no image.
    """
    Image.MAX_IMAGE_PIXELS = None  # the ingestion has applied the limits
    try:
        image: Image.Image = Image.open(io.BytesIO(encoded))
        longer = max(image.size)
        if longer > enough_px:
            width, height = (max(1, side * enough_px // longer) for side in image.size)
            image.draft(None, (width, height))
        image.load()
    except Exception as error:  # Pillow's decoders raise errors of many classes
        raise ValueError(f"no canonical image: {error}") from error
    return image


def _shrink(image: Image.Image, at_most_px: int, sampling: Image.Resampling) -> Image.Image:
    """Return the image with a longer side of at most `side_px`."""
    longer = max(image.size)
    if longer <= at_most_px:
        return image
    width, height = (max(1, round(side * at_most_px / longer)) for side in image.size)
    return image.resize((width, height), sampling)


def _in_mode(mode: str, image: Image.Image) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def measure_images(pictures: list[SmallImage]) -> dict[str, Any]:
    """Return the measures as columns of SCHEMA; images of one size are measured together."""
    columns: dict[str, Any] = {
        "entropy": [picture.entropy for picture in pictures],
        "hash": perceptual_hashes(np.array([picture.hashed for picture in pictures])),
        "miniature": [picture.miniature for picture in pictures],
    }
    colours = ("is_grey", "brightness", "brightness_perc_5", "brightness_perc_99", "one_colour")
    edges = ("sharpness", "edge")
    columns |= {name: np.zeros(len(pictures)) for name in (*colours, *edges)}
    for rows, pixels in _of_one_shape([picture.pixels for picture in pictures]):
        for name, values in zip(colours, _colour_measures(pixels), strict=True):
            columns[name][rows] = values
    for rows, grey in _of_one_shape([picture.grey for picture in pictures]):
        for name, values in zip(edges, _edge_measures(grey), strict=True):
            columns[name][rows] = values
    columns["is_grey"] = columns["is_grey"].astype(bool)
    return columns


def _of_one_shape(arrays: list[Array]) -> Iterator[tuple[list[int], Array]]:
    """Give the positions of the arrays of each shape, and these arrays as one."""
    positions: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for position, array in enumerate(arrays):
        positions[array.shape].append(position)
    for some in positions.values():
        yield some, np.stack([arrays[position] for position in some])


def perceptual_hashes(grey: Array) -> Array:
    """Return the pHash of each image, uint64 [images].

    Each bit tells whether one of the 63 lowest frequencies is above their median.
    Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, 3.2.1.

    Args:
      grey: uint8 [images, HASH_PX, HASH_PX].
    """
    frequencies = _COSINES @ grey @ _COSINES.T
    lowest = frequencies.reshape(len(grey), -1)[:, 1:]
    bits = lowest > np.median(lowest, axis=1, keepdims=True)
    padded = np.concatenate([np.zeros((len(grey), 1), bool), bits], axis=1)
    hashes: Array = np.packbits(padded, axis=1).view(">u8")[:, 0].astype(np.uint64)
    return hashes


def _colour_measures(images: Array) -> tuple[Array, ...]:
    """Return whether images are grey, brightness, its percentiles 5 and 99, and one_colour.

    Brightness is from 0 to 1, percentiles to 1/255. `one_colour` is the part of the pixels that the
    most frequent colour has. Source: cleanvision, after Finley, HSP Color Model, 2006.

    Args:
      images: uint8 [images, height, width, 3].
    """
    pixels = images.reshape(len(images), -1, 3)
    # Channel by channel: along an axis of three, every step takes several times as long.
    channels = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    red, green, blue = channels
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    is_grey = spread.max(axis=1) <= _GREY_SPREAD
    brightness = np.sqrt(_BRIGHTNESS_WEIGHTS @ np.square(channels.mean(axis=2))) / _MAX_LEVEL
    squares = np.square(channels, dtype=np.float32)
    squares *= _BRIGHTNESS_WEIGHTS[:, np.newaxis, np.newaxis]
    levels = np.rint(np.sqrt(squares[0] + squares[1] + squares[2]))
    counts = _count_values(levels.astype(np.int32), _LEVELS)
    coarse = (channels >> (_LEVEL_BITS - _COLOUR_BITS)).astype(np.int32)
    codes = coarse[0] << 2 * _COLOUR_BITS | coarse[1] << _COLOUR_BITS | coarse[2]
    one_colour = _count_values(codes, 1 << 3 * _COLOUR_BITS).max(axis=1) / pixels.shape[1]
    return (
        is_grey,
        brightness,
        _percentile_of(counts, 0.05),
        _percentile_of(counts, 0.99),
        one_colour,
    )


def _edge_measures(grey: Array) -> tuple[Array, Array]:
    """Return the 99th percentile and the maximum of the Laplace filter, from 0 to 1.

    Args:
      grey: uint8 [images, height, width].
    """
    if min(grey.shape[1:]) < 3:  # no pixel has neighbours on all sides
        return np.zeros(len(grey)), np.zeros(len(grey))
    signed = grey.astype(np.int16)
    laplacian = signed[:, 1:-1, 1:-1] * -4
    for neighbours in (
        signed[:, :-2, 1:-1],
        signed[:, 2:, 1:-1],
        signed[:, 1:-1, :-2],
        signed[:, 1:-1, 2:],
    ):
        laplacian += neighbours
    strengths = np.minimum(np.abs(laplacian), _MAX_LEVEL).reshape(len(grey), -1)
    counts = _count_values(strengths.astype(np.int32), _LEVELS)
    return _percentile_of(counts, _SHARPEST), _percentile_of(counts, 1.0)


def _count_values(values: Array, kinds: int) -> Array:
    """Return how often each value occurs in each row, [rows, kinds]."""
    rows = np.arange(len(values), dtype=np.int32)[:, np.newaxis] * kinds
    counts = np.bincount((values + rows).ravel(), minlength=len(values) * kinds)
    return counts.reshape(len(values), kinds)


def _percentile_of(counts: Array, part: float) -> Array:
    """Return the percentile of each row, as a level in [0, 1]."""
    reached = counts.cumsum(axis=1) >= part * counts.sum(axis=1, keepdims=True)
    levels: Array = reached.argmax(axis=1) / _MAX_LEVEL
    return levels
