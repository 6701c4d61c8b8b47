"""How far a measured share, such as an accuracy, may lie from the true one (Wilson, 1927)."""

import math
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95


def wilson_interval(
    share: float, count: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the two-sided confidence interval of a share that was measured on `count` examples.

    Its lower end is that of the one-sided interval of confidence (1 + `confidence`) / 2.
    """
    z = _quantile(confidence)
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def examples_to_within(half_width: float, share: float) -> int:
    """Return the fewest examples whose interval of a measured `share` is this narrow.

    That is the interval's formula, solved for the count.

    Args:
      half_width: of the interval, above 0 and below 0.5.
      share: what is measured, from 0 to 1.
    """
    z, square, variance = _quantile(CONFIDENCE), half_width**2, share * (1 - share)
    root = math.sqrt(variance**2 - 4 * square * variance + square)
    return math.ceil(z * z * (variance - 2 * square + root) / (2 * square))


def examples_to_exceed(floor: float, share: float) -> int:
    """Return the fewest examples whose interval of a measured `share` lies above `floor`.

    Args:
      floor: from 0 up to, and without, `share`.
      share: what is measured, up to 1.
    """
    z = _quantile(CONFIDENCE)
    return math.floor(z * z * floor * (1 - floor) / (share - floor) ** 2) + 1


def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
