"""The statistics of a difference that was measured with a few seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import stats

CONFIDENCE = 0.95
# More seeds than this are not worth the time.
MOST_SEEDS = 1000

SweepVerdict = Literal["helps", "hurts", "same", "unclear"]


@dataclass(frozen=True)
class SeedSpread:
    """Count, mean and deviation of a variant over its seeds."""

    count: int
    mean: float
    deviation: float | None  # of a sample; None for fewer than two


@dataclass(frozen=True)
class PairedDifference:
    """The difference of a variant from the baseline, over pairs with the same seed."""

    count: int  # pairs
    mean: float
    low: float | None  # of the confidence interval; None for fewer than two pairs
    high: float | None
    verdict: SweepVerdict
    seeds_needed: (
        int | None
    )  # until a difference of this size would be clear; None: more than MOST_SEEDS, or not asked


def spread(values: Sequence[float]) -> SeedSpread:
    """Return mean and sample standard deviation of at least one value."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return SeedSpread(len(values), mean, None)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return SeedSpread(len(values), mean, math.sqrt(squares / (len(values) - 1)))


def paired_difference(
    baseline: Sequence[float], variant: Sequence[float], *, higher_is_better: bool = True
) -> PairedDifference:
    """Return variant minus baseline with its 95 % confidence interval (Student's t, paired).

    Args:
      baseline: a value a seed.
      variant: a value for each of the same seeds, in the same order.
      higher_is_better: what "helps" means.
    """
    found = spread([other - one for one, other in zip(baseline, variant, strict=True)])
    if found.deviation is None:
        return PairedDifference(found.count, found.mean, None, None, "unclear", None)
    half = _half_width(found.deviation, found.count)
    low, high = found.mean - half, found.mean + half
    verdict: SweepVerdict = "unclear"
    if found.mean == 0 and found.deviation == 0:
        verdict = "same"
    elif low > 0 or high < 0:
        verdict = "helps" if (low > 0) == higher_is_better else "hurts"
    needed = _seeds_needed(found) if verdict == "unclear" else None
    return PairedDifference(found.count, found.mean, low, high, verdict, needed)


def _half_width(deviation: float, count: int) -> float:
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))
    return quantile * deviation / math.sqrt(count)


def _seeds_needed(found: SeedSpread) -> int | None:
    """Return how many seeds would put zero outside the interval, with this mean and deviation."""
    assert found.deviation is not None
    for count in range(found.count + 1, MOST_SEEDS + 1):
        if _half_width(found.deviation, count) < abs(found.mean):
            return count
    return None
