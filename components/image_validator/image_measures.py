"""One image -> the numbers that all checks are made from.

Imports neither TensorFlow nor TFX nor Beam: decode processes run this.
"""

import io
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Array = npt.NDArray[Any]

# Sizes that images are brought to, in pixels of the longer side or of both.
SHARPNESS_PX = 256  # what a classifier looks at, at the most
COLOUR_PX = 64
HASH_PX = 32
MINIATURE_PX = 16

_HASH_SIDE = 8
_COLOUR_BITS = 5
_MAX_LEVEL = 255
_NO_DIFFERENCE = 128
_SHARPEST = 0.99
_GREY_SPREAD = 2
# Weighs neighbours by their distance: what is shrunk twice comes out as what is shrunk once.
_SAMPLING = Image.Resampling.BILINEAR
_KERNEL_PX = 3
_LAPLACE = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=_NO_DIFFERENCE)
_BRIGHTNESS_WEIGHTS = np.array([0.241, 0.691, 0.068], np.float32)
# The lowest frequencies of the discrete cosine transform (type II).
_COSINES = np.cos(
    np.pi / HASH_PX * (np.arange(HASH_PX) + 0.5) * np.arange(_HASH_SIDE)[:, np.newaxis]
)


class Picture(NamedTuple):
    """What is kept of an image until its batch is full.

    `grey` is uint8 [HASH_PX, HASH_PX], `miniature` uint8 [MINIATURE_PX, MINIATURE_PX, 3].
    `laplacian` is the histogram of the Laplace filter (128 stands for 0), `colours` that of red,
    green and blue one after another, of the image at COLOUR_PX.
    """

    is_grey: bool
    brightness: tuple[float, float]  # percentiles 5 and 99
    one_colour: float
    laplacian: list[int]
    colours: list[int]
    grey: Array
    miniature: bytes


def picture_of(encoded: bytes) -> Picture:
    """Return what is measured of one image, canonical JPEG or PNG bytes.

    Raises:
      ValueError: they are none.
    """
    image = opened(encoded, SHARPNESS_PX)
    # Averaging keeps edges as sharp as they are.
    grey = _shrunk(image, SHARPNESS_PX, Image.Resampling.BOX).convert("L")
    small = _shrunk(image, COLOUR_PX, _SAMPLING).convert("RGB")
    small_grey = grey if grey.size == small.size else small.convert("L")
    pixels = np.asarray(small)
    return Picture(
        image.mode == "L" or _has_no_colour(pixels),
        _brightness(pixels),
        _one_colour(pixels),
        _laplacian(grey),
        small.histogram(),
        np.asarray(small_grey.resize((HASH_PX, HASH_PX), _SAMPLING)),
        small.resize((MINIATURE_PX, MINIATURE_PX), _SAMPLING).tobytes(),
    )


def opened(encoded: bytes, enough_px: int) -> Image.Image:
    """Return an image, grey or RGB; where more pixels than asked for are in it, perhaps fewer.

    JPEGs are decoded at an eighth, a fourth or half of their size where that is enough.

    Raises:
      ValueError: the bytes are no image.
    """
    try:
        image: Image.Image = Image.open(io.BytesIO(encoded))
        longer = max(image.size)
        if longer > enough_px:
            width, height = (max(1, side * enough_px // longer) for side in image.size)
            image.draft(None, (width, height))
        image.load()
    except (OSError, SyntaxError) as error:
        raise ValueError(f"no canonical image: {error}") from error
    return image


def _shrunk(image: Image.Image, at_most_px: int, sampling: Image.Resampling) -> Image.Image:
    """Return the image with its longer side at most so long; itself where it is already."""
    longer = max(image.size)
    if longer <= at_most_px:
        return image
    width, height = (max(1, round(side * at_most_px / longer)) for side in image.size)
    return image.resize((width, height), sampling)


def measured(pictures: list[Picture]) -> dict[str, Any]:
    """Return the columns of SCHEMA that are worked out for all images of a batch at once."""
    laplacian = np.array([picture.laplacian for picture in pictures])
    colours = np.array([picture.colours for picture in pictures])
    brightness = np.array([picture.brightness for picture in pictures])
    return {
        "is_grey": [picture.is_grey for picture in pictures],
        "brightness": _mean_brightness(colours),
        "brightness_perc_5": brightness[:, 0],
        "brightness_perc_99": brightness[:, 1],
        "entropy": _entropies(colours),
        "sharpness": _levels_at(laplacian, _SHARPEST) / _MAX_LEVEL,
        "one_colour": [picture.one_colour for picture in pictures],
        "edge": _levels_at(laplacian, 1.0) / _MAX_LEVEL,
        "hash": perceptual_hashes(np.array([picture.grey for picture in pictures])),
        "miniature": [picture.miniature for picture in pictures],
    }


def perceptual_hashes(grey: Array) -> Array:
    """Return the pHash of each image, uint64 [images].

    A bit each for whether one of the 63 lowest frequencies is above their median.
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


def _laplacian(grey: Image.Image) -> list[int]:
    """Return the histogram of the Laplace filter, without the border, which has no neighbours."""
    width, height = grey.size
    if min(width, height) < _KERNEL_PX:
        return Image.new("L", (1, 1), _NO_DIFFERENCE).histogram()
    return grey.filter(_LAPLACE).crop((1, 1, width - 1, height - 1)).histogram()


def _brightness(pixels: Array) -> tuple[float, float]:
    """Return the 5th and 99th percentile of brightness, in [0, 1], of uint8 [height, width, 3].

    By rank, without interpolation. Source: cleanvision, after Finley, HSP Color Model, 2006.
    """
    squared = np.square(pixels.reshape(-1, 3), dtype=np.float32)
    squared *= _BRIGHTNESS_WEIGHTS
    squares = squared[:, 0] + squared[:, 1] + squared[:, 2]
    ranks = [int(part * (len(squares) - 1)) for part in (0.05, 0.99)]
    squares.partition(ranks)
    low, high = np.sqrt(squares[ranks]) / _MAX_LEVEL
    return float(low), float(high)


def _mean_brightness(histograms: Array) -> Array:
    """Return the brightness of each image's mean colour, in [0, 1].

    Args:
      histograms: of red, green and blue one after another, [images, 3 * 256].
    """
    channels = histograms.reshape(len(histograms), 3, -1)
    means = (channels * np.arange(_MAX_LEVEL + 1)).sum(axis=2) / channels.sum(axis=2)
    brightness: Array = np.sqrt(np.square(means) @ _BRIGHTNESS_WEIGHTS) / _MAX_LEVEL
    return brightness


def _one_colour(pixels: Array) -> float:
    """Return the part of the pixels that the most frequent colour has, of 32 levels a channel."""
    levels = (pixels.reshape(-1, 3) >> (8 - _COLOUR_BITS)).astype(np.uint16)
    codes = (levels[:, 0] << 2 * _COLOUR_BITS) | (levels[:, 1] << _COLOUR_BITS) | levels[:, 2]
    return float(np.bincount(codes).max() / len(codes))


def _has_no_colour(pixels: Array) -> bool:
    """Tell whether the channels are equal, but for what JPEG makes of grey."""
    first = pixels[..., 0].astype(np.int16)
    spread = max(int(np.abs(pixels[..., channel] - first).max()) for channel in (1, 2))
    return spread <= _GREY_SPREAD


def _entropies(histograms: Array) -> Array:
    """Return the Shannon entropy of each histogram, in bits; cleanvision takes Pillow's, the same.

    Args:
      histograms: counts, [images, bins].
    """
    shares = histograms / histograms.sum(axis=1, keepdims=True)
    bits: Array = -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=1)
    return bits


def _levels_at(histograms: Array, part: float) -> Array:
    """Return the strength that so much of each filtered image stays below, in [0, 127] levels.

    Args:
      histograms: of the Laplace filter, 128 for no difference, [images, 256].
      part: from 0 to 1.
    """
    strengths = histograms[:, _NO_DIFFERENCE:].copy()
    strengths[:, 1:] += histograms[:, _NO_DIFFERENCE - 1 : 0 : -1]
    strengths[:, -1] += histograms[:, 0]
    reached = strengths.cumsum(axis=1) >= part * strengths.sum(axis=1, keepdims=True)
    levels: Array = reached.argmax(axis=1)
    return levels
