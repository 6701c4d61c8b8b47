"""Metrics and slices of predictions that can be counted by hand."""

import math

import pytest

from components.model_evaluator.metrics import ModelScores, measure
from contracts.artifacts.evaluation import Metrics

TRUTH = ["a", "a", "a", "b"]
CANDIDATE = ModelScores(["a", "a", "b", "b"], [0.9, 0.8, 0.3, 0.6])
CHAMPION = ModelScores(["a", "b", "b", "b"], [0.5, 0.5, 0.5, 0.5])


def test_metrics_of_candidate_and_champion():
    metrics = measure(TRUTH, CANDIDATE, CHAMPION, champion_version=7)
    assert metrics.examples == 4
    assert metrics.candidate.accuracy == 0.75
    assert metrics.champion.accuracy == 0.5
    assert metrics.champion_version == 7
    assert metrics.largest_class_share == 0.75
    assert metrics.candidate.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    expected = -sum(map(math.log, [0.9, 0.8, 0.3, 0.6])) / 4
    assert metrics.candidate.log_loss == pytest.approx(expected)


def test_a_slice_for_each_class():
    metrics = measure(TRUTH, CANDIDATE, CHAMPION, champion_version=7)
    assert set(metrics.slices) == {"a", "b"}
    assert metrics.slices["a"].examples == 3
    assert metrics.slices["a"].recall == pytest.approx(2 / 3)
    assert metrics.slices["b"].precision == pytest.approx(1 / 2)
    assert metrics.slices["a"].champion_recall == pytest.approx(1 / 3)
    assert metrics.labels == ("a", "b")
    assert metrics.confusion == ((2, 1), (0, 1))


def test_without_a_champion_there_is_none_in_the_slices():
    metrics = measure(TRUTH, CANDIDATE)
    assert metrics.champion is None
    assert metrics.slices["a"].champion_recall is None


def test_a_prediction_that_no_test_image_has_counts_as_wrong():
    metrics = measure(["a", "b"], ModelScores(["a", "c"], [1.0, 0.0]))
    assert metrics.candidate.accuracy == 0.5
    assert metrics.labels == ("a", "b", "c")
    assert math.isfinite(metrics.candidate.log_loss)


def test_a_class_may_be_called_like_a_metric():
    metrics = measure(["accuracy", "macro avg"], ModelScores(["accuracy", "macro avg"], [1.0, 1.0]))
    assert metrics.slices["accuracy"].recall == 1.0


def test_nothing_to_measure_is_an_error():
    with pytest.raises(ValueError, match="at least one test image"):
        measure([], ModelScores([], []))


def test_metrics_survive_their_file(tmp_path):
    metrics = measure(TRUTH, CANDIDATE, CHAMPION, champion_version=7)
    metrics.write(tmp_path)
    assert Metrics.read(tmp_path) == metrics
