"""Finds images of the same picture: with equal pixels, or of another size, format or quality.

Candidates are pairs whose perceptual hashes have an equal quarter. Of these the miniatures are
compared, and for equal pixels the images themselves. Photos give few candidates; images of one kind
give more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from components.image_validator.measured_images import MeasuredImages

Array = npt.NDArray[Any]
Pairs = Array  # int64 [pairs, 2], rows of the table of measures

# Hashes with more different bits are of different pictures; resizing and re-encoding flip up to 2.
FEWEST_EQUAL_BITS = 58
_HASH_BITS = 64
# If at most 3 bits differ, at least one of 4 bands of 16 bits is equal.
_BANDS, _BAND_BITS = 4, 16
_PAIRS_AT_ONCE = 1 << 14
# Images of equal pixels differ by no more than this, even if one is decoded at half its size.
_NEXT_TO_NOTHING = 0.02
# Below this contrast, in levels of 0 to 255, an image is blank: the noise in it is no difference.
_BLANK_STD = 2.0
_BITS_OF_BYTE = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


@dataclass(frozen=True)
class Duplicates:
    """The rows that show the same picture.

    `exact` and `alike` hold a number for every row. Rows with the same number in `exact` have equal
    pixels; rows with the same number in `alike` show the same picture.
    """

    exact: Array
    alike: Array


def find_duplicates(pictures: MeasuredImages, near_threshold: float) -> Duplicates:
    """Return the rows that show the same picture.

    Args:
      pictures: the measured images.
      near_threshold: the largest difference of two images of the same picture: the root mean square
        of the difference of their miniatures, as part of their contrast.
    """
    hashes = pictures.numbers("hash")
    _, first_of, by_bytes = np.unique(
        pictures.numbers("sha256"), return_index=True, return_inverse=True
    )
    looks = [pictures.numbers(name)[first_of] for name in ("entropy", "brightness_perc_99")]
    found = [np.zeros((0, 2), np.int64)]
    distances = [np.zeros(0)]
    for candidates in _find_candidates(hashes[first_of], looks):
        some = first_of[candidates]
        differ = _distances(pictures, some)
        found.append(some[differ <= near_threshold])
        distances.append(differ[differ <= near_threshold])
    near = np.concatenate(found)
    closest = near[np.concatenate(distances) <= _NEXT_TO_NOTHING]
    equal = closest[_have_equal_pixels(pictures, closest)]
    same_file = np.stack([np.arange(len(hashes)), first_of[by_bytes]], axis=1)
    exact = np.concatenate([same_file, equal])
    return Duplicates(
        exact=_components(exact, len(hashes)),
        alike=_components(np.concatenate([exact, near]), len(hashes)),
    )


def group_rows(numbers: Array) -> list[Array]:
    """Return the groups of rows that have the same number."""
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    return [rows for rows in np.split(order, starts[1:]) if len(rows) > 1]


def _find_candidates(hashes: Array, looks: Sequence[Array]) -> Iterator[Pairs]:
    """Give pairs of rows whose hashes differ in few bits, some at a time; a pair may come twice.

    All pairs with up to 3 different bits are found, and most of the others. Rows with equal hashes
    are paired only with their successor in order of `looks`: many blank images would give too many
    pairs.
    """
    order = np.lexsort((*looks, hashes))
    neighbours = np.stack([order[:-1], order[1:]], axis=1)
    yield neighbours[hashes[neighbours[:, 0]] == hashes[neighbours[:, 1]]]
    values, first_of = np.unique(hashes, return_index=True)
    for band in range(_BANDS):
        parts = (values >> np.uint64(band * _BAND_BITS)).astype(np.uint16)
        for pairs in _pair_equals(parts):
            differing = _bits_set(values[pairs[:, 0]] ^ values[pairs[:, 1]])
            yield first_of[pairs[differing <= _HASH_BITS - FEWEST_EQUAL_BITS]]


def _pair_equals(parts: Array) -> Iterator[Pairs]:
    """Give all pairs of positions with equal values, at most one pair a value at a time."""
    order = np.argsort(parts, kind="stable")
    ordered = parts[order]
    for shift in range(1, len(parts)):
        firsts = np.flatnonzero(ordered[:-shift] == ordered[shift:])
        if not len(firsts):
            return
        yield np.stack([order[firsts], order[firsts + shift]], axis=1)


def _bits_set(words: Array) -> Array:
    """Return the number of set bits of each uint64."""
    counts: Array = _BITS_OF_BYTE[words.view(np.uint8).reshape(-1, 8)].sum(axis=1)
    return counts


def _distances(pictures: MeasuredImages, pairs: Pairs) -> Array:
    """Return the difference of the images of each pair, as part of their contrast."""
    distances = np.empty(len(pairs))
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = slice(start, start + _PAIRS_AT_ONCE)
        one, other = (pictures.miniatures(pairs[some, side]) for side in (0, 1))
        contrast = np.sqrt((one.var(axis=1) + other.var(axis=1)) / 2)
        difference = np.sqrt(np.square(one - other).mean(axis=1))
        distances[some] = difference / np.maximum(contrast, _BLANK_STD)
    return distances


def _have_equal_pixels(pictures: MeasuredImages, pairs: Pairs) -> Array:
    """Tell for each pair whether the decoded images have the same size and pixels."""
    width, height = pictures.numbers("width"), pictures.numbers("height")
    first, second = pairs[:, 0], pairs[:, 1]
    equal: Array = (width[first] == width[second]) & (height[first] == height[second])
    last, pixels = -1, b""
    for at in np.flatnonzero(equal):
        one, other = (int(row) for row in pairs[at])
        if one != last:
            last, pixels = one, pictures.pixels(one)
        equal[at] = pixels == pictures.pixels(other)
    return equal


def _components(pairs: Pairs, rows: int) -> Array:
    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(rows, rows))
    _, numbers = connected_components(graph, directed=False)
    found: Array = numbers
    return found
