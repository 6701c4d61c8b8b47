"""Learning rates at the steps where they turn."""

import pytest

from contracts.config.trainer.config import TrainerConfig
from trainer.optimisation.schedules import LearningRate
from trainer.training.construction import learning_rate


def rates(kind: str, rise: int, steps: int = 100) -> list[float]:
    schedule = LearningRate(kind, 0.1, steps, rise)
    return [float(schedule(step)) for step in range(steps + 1)]


def test_a_cosine_rises_falls_and_ends_at_nothing():
    found = rates("cosine", rise=10)
    assert found[0] == pytest.approx(0.01)
    assert found[9:11] == pytest.approx([0.1, 0.1])
    assert found[55] == pytest.approx(0.05)
    assert found[100] == pytest.approx(0, abs=1e-8)
    assert found == sorted(found[:10]) + sorted(found[10:], reverse=True)


def test_steps_take_a_tenth_at_half_and_at_three_quarters():
    found = rates("step", rise=0)
    assert [found[at] for at in (0, 49, 50, 74, 75, 100)] == pytest.approx(
        [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    )


def test_one_cycle_begins_at_a_25th_and_ends_at_next_to_nothing():
    found = rates("one_cycle", rise=30)
    assert 0.004 <= found[0] < 0.005
    assert max(found) == pytest.approx(0.1)
    assert found.index(max(found)) in (29, 30)
    assert found[100] == pytest.approx(1e-6, rel=0.01)


def test_constant_stays():
    assert rates("constant", rise=0) == pytest.approx([0.1] * 101)


def test_warm_up_is_half_an_epoch_or_with_one_cycle_three_tenths():
    assert learning_rate(TrainerConfig(), 1e-3, 20, 10).rise == 5
    assert learning_rate(TrainerConfig(schedule="one_cycle"), 1e-3, 20, 10).rise == 60
    assert learning_rate(TrainerConfig(warmup_epochs=2.0), 1e-3, 20, 10).rise == 20
    assert learning_rate(TrainerConfig(), 1e-3, 20, 10).steps == 200


def test_a_phase_that_a_search_has_shortened_still_comes_to_its_peak():
    schedule = learning_rate(TrainerConfig(warmup_epochs=3.0), 1e-3, 1, 10)
    assert float(schedule(9)) == pytest.approx(1e-3)
