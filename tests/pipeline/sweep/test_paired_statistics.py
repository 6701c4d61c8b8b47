"""Means, intervals and verdicts are Student's."""

import sys
from subprocess import run

import pytest

from pipeline.sweep.paired_statistics import paired_difference, spread


def test_the_spread_of_a_sample():
    found = spread([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
    assert (found.count, found.mean) == (8, 5.0)
    assert found.deviation == pytest.approx((32 / 7) ** 0.5)
    assert spread([3.0]).deviation is None


def test_a_known_interval():
    # Student's sleep data (1908), the paired difference of two drugs: mean 1.58, 95 % interval
    # 0.70 to 2.46 (R's t.test(extra ~ group, paired)).
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = paired_difference(first, second)
    assert found.mean == pytest.approx(1.58)
    assert found.low == pytest.approx(0.7001142, abs=1e-6)
    assert found.high == pytest.approx(2.4598858, abs=1e-6)
    assert (found.verdict, found.seeds_needed) == ("helps", None)


def test_a_paired_difference_is_clear_where_the_seeds_differ_more_than_the_variants():
    found = paired_difference([0.5, 0.7, 0.9], [0.52, 0.721, 0.919])
    assert found.verdict == "helps"
    assert paired_difference([0.5, 0.7, 0.9], [0.919, 0.52, 0.721]).verdict == "unclear"


def test_verdicts_follow_what_is_better():
    lower, higher = [0.1, 0.2, 0.3], [0.5, 0.61, 0.69]
    assert paired_difference(lower, higher).verdict == "helps"
    assert paired_difference(higher, lower).verdict == "hurts"
    assert paired_difference(lower, higher, higher_is_better=False).verdict == "hurts"
    assert paired_difference(lower, lower).verdict == "same"


def test_the_seeds_that_would_be_needed():
    found = paired_difference([0.0, 0.0, 0.0], [0.3, -0.1, 0.2])
    assert found.verdict == "unclear"
    # t(0.975, n - 1) * 0.2082 / sqrt(n) falls below 0.1333 between n = 11 and 12.
    assert found.seeds_needed == 12
    assert paired_difference([0.0] * 3, [1.0, -1.0, 0.001]).seeds_needed is None


def test_one_seed_tells_nothing():
    found = paired_difference([0.5], [0.9])
    assert (found.mean, found.low, found.high) == (0.4, None, None)
    assert (found.verdict, found.seeds_needed) == ("unclear", None)


def test_pairs_have_to_be_pairs():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        paired_difference([0.5, 0.6], [0.9])


def test_no_tensorflow_is_needed():
    script = (
        "import sys, pipeline.sweep.table, pipeline.commands.sweep\n"
        "assert not {'tensorflow', 'keras', 'tfx', 'mlflow'} & set(sys.modules)"
    )
    run([sys.executable, "-c", script], check=True)
