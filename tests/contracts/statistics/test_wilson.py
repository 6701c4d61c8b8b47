"""The intervals are Wilson's, as SciPy computes them, and the counts are where they become so."""

import pytest
from scipy.stats import binomtest

from contracts.statistics.wilson import examples_to_exceed, examples_to_within, wilson_interval


@pytest.mark.parametrize(("right", "count"), [(18, 27), (0, 5), (5, 5), (1, 1), (799, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.998])
def test_the_interval_is_that_of_scipy(right, count, confidence):
    expected = binomtest(right, count).proportion_ci(confidence, method="wilson")
    found = wilson_interval(right / count, count, confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_lower_end_is_that_of_a_one_sided_interval():
    expected = binomtest(18, 27, alternative="greater").proportion_ci(0.99, method="wilson")
    assert wilson_interval(18 / 27, 27, 0.98)[0] == pytest.approx(expected.low)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.67, 0.9, 1.0])
@pytest.mark.parametrize("half_width", [0.2, 0.05, 0.01])
def test_so_many_examples_make_the_interval_narrow_enough_and_one_less_does_not(share, half_width):
    needed = examples_to_within(half_width, share)
    low, high = wilson_interval(share, needed)
    assert (high - low) / 2 <= half_width * (1 + 1e-9)
    low, high = wilson_interval(share, needed - 1)
    assert (high - low) / 2 > half_width


@pytest.mark.parametrize(("floor", "share"), [(0.8, 0.81), (0.8, 1.0), (0.33, 0.4), (0.63, 0.67)])
def test_so_many_examples_lift_the_interval_above_the_floor_and_one_less_does_not(floor, share):
    needed = examples_to_exceed(floor, share)
    assert wilson_interval(share, needed)[0] > floor
    assert wilson_interval(share, needed - 1)[0] <= floor
