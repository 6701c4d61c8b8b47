"""What the gate blesses, and that anything missing is a no."""

import json

import pytest

from components.model_evaluator.metrics import ModelScores, measure
from components.model_gate.core import Decision, decide
from contracts.config import EvaluationConfig

TRUTH = ["cat"] * 50 + ["dog"] * 50


def scores(right: int) -> ModelScores:
    """Return a model that is right on the first `right` of TRUTH."""
    predicted = [
        label if index < right else ("dog" if label == "cat" else "cat")
        for index, label in enumerate(TRUTH)
    ]
    return ModelScores(predicted, [0.9 if index < right else 0.1 for index in range(len(TRUTH))])


def write(folder, candidate: int, champion: int | None = None) -> None:
    baseline = None if champion is None else scores(champion)
    version = None if champion is None else 3
    measure(TRUTH, scores(candidate), baseline, version).write(folder)


@pytest.mark.parametrize(
    ("candidate", "champion", "blessed"),
    [
        (90, None, True),
        (80, None, True),  # at the limit
        (79, None, False),
        (90, 89, True),
        (88, 90, True),  # a drop of exactly the limit
        (87, 90, False),
        (79, 60, False),  # better than the champion, but not good enough
    ],
)
def test_limits_on_value_and_on_change(tmp_path, candidate, champion, blessed):
    write(tmp_path, candidate, champion)
    decision = decide(tmp_path, EvaluationConfig(min_accuracy=0.8, max_accuracy_drop=0.02))
    assert decision.blessed is blessed
    assert decision.reasons


def test_reasons_are_the_failed_limits_with_their_figures(tmp_path):
    write(tmp_path, 70, 90)
    decision = decide(tmp_path, EvaluationConfig(min_accuracy=0.6, max_accuracy_drop=0.02))
    (reason,) = decision.reasons
    assert "0.7000" in reason
    assert "0.2000 below the champion's 0.9000" in reason
    assert "version 3" in reason
    assert "max_accuracy_drop 0.02" in reason


def test_a_better_candidate_is_within_no_drop(tmp_path):
    write(tmp_path, 90, 80)
    change = decide(tmp_path, EvaluationConfig()).reasons[1]
    assert change == "Accuracy 0.9000 is 0.1000 above the champion's 0.8000 (version 3)."


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{}",
        "not json",
        json.dumps({"candidate": {"accuracy": 1.0}}),
    ],
)
def test_an_evaluation_that_cannot_be_read_is_a_no(tmp_path, content):
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    decision = decide(tmp_path, EvaluationConfig(min_accuracy=0.0))
    assert not decision.blessed
    assert "cannot be read" in decision.reasons[0]


def test_an_accuracy_that_is_no_number_is_a_no(tmp_path):
    write(tmp_path, 90)
    path = tmp_path / "metrics.json"
    path.write_text(path.read_text().replace('"accuracy": 0.9', '"accuracy": NaN'))
    assert not decide(tmp_path, EvaluationConfig(min_accuracy=0.0)).blessed


def test_no_checks_are_no_blessing():
    assert not Decision(()).blessed


def test_a_decision_survives_its_file(tmp_path):
    write(tmp_path, 90, 95)
    decision = decide(tmp_path, EvaluationConfig(min_accuracy=0.5))
    decision.write(tmp_path)
    assert Decision.read(tmp_path) == decision
