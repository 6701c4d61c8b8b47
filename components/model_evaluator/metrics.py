"""Labels and predictions -> metrics and slices, by scikit-learn and without TensorFlow."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics as sk

from contracts.artifacts.evaluation import ClassSlice, Metrics, ModelMetrics

# A probability of 0 for the true label would make the log loss infinite.
SMALLEST_PROBABILITY = 1e-7


class ModelScores:
    """The predictions of one model for every image."""

    def __init__(self, predicted: Sequence[str], true_probability: Sequence[float]) -> None:
        self.predicted = predicted
        self.true_probability = np.asarray(true_probability, dtype=np.float64)


def measure(
    truth: Sequence[str],
    candidate: ModelScores,
    champion: ModelScores | None = None,
    champion_version: int | None = None,
) -> Metrics:
    """Return the metrics of the candidate and, where there is one, of the champion.

    Args:
      truth: the label of every image.
      candidate: the predictions of the candidate for these images, in the same order.
      champion: the predictions of the champion.
      champion_version: its version in the registry.

    Raises:
      ValueError: there is no image.
    """
    if not truth:
        raise ValueError("expected at least one test image, received none")
    labels = sorted({*truth, *candidate.predicted})
    return Metrics(
        examples=len(truth),
        candidate=_overall(truth, candidate),
        champion=_overall(truth, champion) if champion else None,
        champion_version=champion_version,
        largest_class_share=max(Counter(truth).values()) / len(truth),
        slices=_slices(truth, candidate, champion),
        labels=tuple(labels),
        confusion=tuple(
            map(tuple, sk.confusion_matrix(truth, candidate.predicted, labels=labels).tolist())
        ),
    )


def _overall(truth: Sequence[str], scores: ModelScores) -> ModelMetrics:
    _, recall, f1, _ = _per_class(truth, scores)
    clipped = np.clip(scores.true_probability, SMALLEST_PROBABILITY, 1.0)
    return ModelMetrics(
        accuracy=float(sk.accuracy_score(truth, scores.predicted)),
        balanced_accuracy=float(np.mean(recall)),
        macro_f1=float(np.mean(f1)),
        log_loss=float(-np.mean(np.log(clipped))),
    )


def _slices(
    truth: Sequence[str], candidate: ModelScores, champion: ModelScores | None
) -> dict[str, ClassSlice]:
    classes = sorted(set(truth))
    precision, recall, f1, support = _per_class(truth, candidate)
    champion_recall = _per_class(truth, champion)[1] if champion else None
    return {
        label: ClassSlice(
            examples=int(support[index]),
            precision=float(precision[index]),
            recall=float(recall[index]),
            f1=float(f1[index]),
            champion_recall=None if champion_recall is None else float(champion_recall[index]),
        )
        for index, label in enumerate(classes)
    }


def _per_class(truth: Sequence[str], scores: ModelScores) -> tuple[Any, Any, Any, Any]:
    """Return precision, recall, F1 and examples of each class of the test split, sorted by name."""
    measured: tuple[Any, Any, Any, Any] = sk.precision_recall_fscore_support(
        truth, scores.predicted, labels=sorted(set(truth)), zero_division=0
    )
    return measured
