"""What the gate blesses, and that anything missing is a no."""

import json

import pytest

from components.model_evaluator.metrics import ModelScores, measure
from components.model_gate.core import decide
from contracts.artifacts.decision import Decision, Floor
from contracts.config.evaluation import EvaluationConfig
from contracts.statistics.wilson import wilson_interval

TRUTH = ["cat"] * 50 + ["dog"] * 50


def scores(right: int) -> ModelScores:
    """Return a model that is right on the first `right` of TRUTH."""
    predicted = [
        label if index < right else ("dog" if label == "cat" else "cat")
        for index, label in enumerate(TRUTH)
    ]
    return ModelScores(predicted, [0.9 if index < right else 0.1 for index in range(len(TRUTH))])


def write_imbalanced(folder, cats: int, dogs: int, right: int) -> None:
    """Write the metrics of a model that is right on `right` of the test images."""
    truth = ["dog"] * dogs + ["cat"] * cats
    other = {"cat": "dog", "dog": "cat"}
    predicted = [label if index < right else other[label] for index, label in enumerate(truth)]
    measure(truth, ModelScores(predicted, [0.5] * len(truth))).write(folder)


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


@pytest.mark.parametrize(
    ("cats", "dogs", "right", "blessed"),
    [
        (80, 20, 50, False),
        (80, 20, 80, False),  # as good as always answering cat
        (80, 20, 81, True),
        (20, 80, 81, True),
        (50, 50, 50, False),
        (50, 50, 51, True),
        (100, 0, 100, False),  # one class alone shows nothing
    ],
)
def test_by_default_a_model_has_to_be_better_than_the_largest_class(
    tmp_path, cats, dogs, right, blessed
):
    write_imbalanced(tmp_path, cats, dogs, right)
    decision = decide(tmp_path, EvaluationConfig())
    assert decision.blessed is blessed
    assert decision.floor == Floor(max(cats, dogs) / 100, "largest_class")


def test_a_model_below_the_largest_class_reads_why_and_what_to_do(tmp_path):
    write_imbalanced(tmp_path, 80, 20, 50)
    (reason,) = decide(tmp_path, EvaluationConfig()).reasons
    low, high = wilson_interval(0.5, 100)
    assert reason == (
        f"Accuracy 0.5000 (95 % interval {low:.4f} to {high:.4f}) on 100 test images is not above "
        "0.8000, that of always answering 'cat', the largest class. Train longer, on more images "
        "or with another trainer.model, or set evaluation.min_accuracy to the accuracy that you "
        "accept."
    )


def test_of_classes_of_one_size_the_first_by_name_is_the_largest(tmp_path):
    write_imbalanced(tmp_path, 200, 200, 300)
    (reason,) = decide(tmp_path, EvaluationConfig()).reasons
    assert "is above 0.5000, that of always answering 'cat', the largest class." in reason


def test_of_three_even_classes_the_floor_is_a_third(tmp_path):
    truth = ["a", "b", "c"] * 100
    measure(truth, ModelScores(truth, [1.0] * 300)).write(tmp_path)
    floor = decide(tmp_path, EvaluationConfig()).floor
    assert floor is not None
    assert floor.accuracy == pytest.approx(1 / 3)


def test_a_number_is_the_floor_even_below_the_largest_class(tmp_path):
    write_imbalanced(tmp_path, 800, 200, 500)
    decision = decide(tmp_path, EvaluationConfig(min_accuracy=0.4))
    assert decision.blessed
    assert decision.floor == Floor(0.4, "evaluation.min_accuracy")
    assert decision.reasons[0].endswith(
        "is at least evaluation.min_accuracy 0.4 (always answering 'cat': 0.8000)."
    )
    assert decision.warnings == ()


def test_a_model_that_may_be_no_better_is_blessed_with_a_warning(tmp_path):
    write_imbalanced(tmp_path, 17, 10, 18)
    decision = decide(tmp_path, EvaluationConfig())
    assert decision.blessed
    assert decision.warnings == (
        "Accuracy 0.6667 cannot be told apart from always answering 'cat' (0.6296) by these 27 "
        "test images. At this accuracy about 650 would show it. Add test images, or raise "
        "data.splits.test where the split is cut.",
    )


def test_a_small_test_split_says_what_it_can_show(tmp_path):
    write_imbalanced(tmp_path, 14, 13, 24)
    (warning,) = decide(tmp_path, EvaluationConfig()).warnings
    assert warning == (
        "The test split has 27 images: an accuracy of 0.89 stands for anything from 0.72 to 0.96 "
        "(95 %). To know it to within 0.05 takes about 150 images. Add test images, or raise "
        "data.splits.test where the split is cut."
    )


@pytest.mark.parametrize(
    ("images", "right", "max_accuracy_drop", "warns"),
    [
        (400, 300, 0.01, False),  # within 0.042
        (200, 150, 0.01, True),  # within 0.060
        (200, 150, 0.1, False),  # a gate that lets 0.1 go needs no more
        (200, 198, 0.01, False),  # errors are rare: 0.016
    ],
)
def test_only_a_split_that_is_too_small_for_the_decision_is_warned_of(
    tmp_path, images, right, max_accuracy_drop, warns
):
    write_imbalanced(tmp_path, images // 2, images // 2, right)
    config = EvaluationConfig(max_accuracy_drop=max_accuracy_drop)
    assert bool(decide(tmp_path, config).warnings) is warns
