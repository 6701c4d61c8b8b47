"""Decides whether a candidate may be pushed; without a readable evaluation it may not."""

from pathlib import Path

from components.model_gate.small_split import MORE_IMAGES, about, small_split_sentence
from contracts.artifacts.decision import Decision, Floor, GateCheck
from contracts.artifacts.evaluation import Metrics
from contracts.config.evaluation import LARGEST_CLASS, EvaluationConfig
from contracts.statistics.wilson import examples_to_exceed

MIN_ACCURACY = "evaluation.min_accuracy"
NEXT_STEP = (
    " Train longer, on more images or with another trainer.model, "
    f"or set {MIN_ACCURACY} to the accuracy that you accept."
)


def decide(evaluation: Path, config: EvaluationConfig) -> Decision:
    """Return the decision on the candidate of an evaluation folder, with a sentence a limit."""
    try:
        metrics = Metrics.read(evaluation)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        sentence = f"The evaluation in {evaluation} cannot be read ({reason})."
        return Decision((GateCheck("evaluation", False, sentence),))
    floor = _floor(metrics, config)
    checks = [_value_check(metrics, floor)]
    if metrics.champion is not None:
        checks.append(_change_check(metrics, metrics.champion.accuracy, config))
    return Decision(tuple(checks), floor, _warnings(metrics, floor, config))


def _floor(metrics: Metrics, config: EvaluationConfig) -> Floor:
    if isinstance(config.min_accuracy, float):
        return Floor(config.min_accuracy, MIN_ACCURACY)
    return Floor(metrics.largest_class_share, LARGEST_CLASS)


def _value_check(metrics: Metrics, floor: Floor) -> GateCheck:
    accuracy = metrics.candidate.accuracy
    constant = f"always answering {metrics.largest_class!r}"
    if floor.source == LARGEST_CLASS:
        passed = metrics.is_above_largest_class
        verdict = f"{'above' if passed else 'not above'} {floor.accuracy:.4f}"
        meaning = f", that of {constant}, the largest class"
    else:
        passed = accuracy >= floor.accuracy
        verdict = f"{'at least' if passed else 'below'} {MIN_ACCURACY} {floor.accuracy:g}"
        meaning = f" ({constant}: {metrics.largest_class_share:.4f})"
    low, high = metrics.accuracy_interval
    return GateCheck(
        "min_accuracy",
        passed,
        f"Accuracy {accuracy:.4f} (95 % interval {low:.4f} to {high:.4f}) on "
        f"{metrics.examples:,} test images is {verdict}{meaning}.{'' if passed else NEXT_STEP}",
    )


def _change_check(metrics: Metrics, champion: float, config: EvaluationConfig) -> GateCheck:
    drop, limit = champion - metrics.candidate.accuracy, config.max_accuracy_drop
    # Accuracies are counts over the same images: differences are rounded to whole images.
    passed = round(drop * metrics.examples, 6) <= round(limit * metrics.examples, 6)
    return GateCheck(
        "max_accuracy_drop", passed, _change_sentence(metrics, champion, limit, passed)
    )


def _change_sentence(metrics: Metrics, champion: float, limit: float, passed: bool) -> str:
    accuracy = metrics.candidate.accuracy
    of_champion = f"the champion's {champion:.4f} (version {metrics.champion_version})"
    if accuracy == champion:
        return f"Accuracy {accuracy:.4f} equals {of_champion}."
    if accuracy > champion:
        return f"Accuracy {accuracy:.4f} is {accuracy - champion:.4f} above {of_champion}."
    return (
        f"Accuracy {accuracy:.4f} is {champion - accuracy:.4f} below {of_champion}, "
        f"{'within' if passed else 'more than'} evaluation.max_accuracy_drop {limit:g}."
    )


def _warnings(metrics: Metrics, floor: Floor, config: EvaluationConfig) -> tuple[str, ...]:
    """Return a sentence on what the test images cannot show; none where they are enough."""
    accuracy = metrics.candidate.accuracy
    low, _ = metrics.accuracy_interval
    if floor.source == LARGEST_CLASS and low <= floor.accuracy < accuracy:
        needed = about(examples_to_exceed(floor.accuracy, accuracy))
        return (
            f"Accuracy {accuracy:.4f} cannot be told apart from always answering "
            f"{metrics.largest_class!r} ({floor.accuracy:.4f}) by these {metrics.examples:,} test "
            f"images. At this accuracy {needed} would show it. {MORE_IMAGES}",
        )
    warning = small_split_sentence(accuracy, metrics.examples, config)
    return (warning,) if warning else ()
