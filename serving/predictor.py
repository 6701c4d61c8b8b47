"""Canonical image bytes -> label and probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from contracts.artifacts import signatures
from serving.saved_model import load_signature


@dataclass(frozen=True)
class Prediction:
    """What a model says of one image."""

    label: str
    score: float  # probability of the label
    probabilities: dict[str, float]  # by label


class Predictor:
    """A loaded SavedModel."""

    def __init__(self, folder: Path) -> None:
        """Load the SavedModel in `folder`.

        Raises:
          OSError: there is no SavedModel.
          contracts.system.errors.ComponentError: it is not one of ours.
        """
        self._signature = load_signature(folder)

    def predict(self, images: Sequence[bytes]) -> list[Prediction]:
        """Return a prediction for each image, in order; the images go through in one batch.

        Args:
          images: canonical bytes (`contracts.images.canonical.canonicalise`).
        """
        outputs = self._signature(tf.constant(list(images)))
        labels = outputs[signatures.OUTPUT_LABEL].numpy()
        scores = outputs[signatures.OUTPUT_SCORE].numpy()
        classes = [name.decode() for name in outputs[signatures.OUTPUT_CLASSES][0].numpy()]
        rows = outputs[signatures.OUTPUT_PROBABILITIES].numpy().tolist()
        return [
            Prediction(label.decode(), float(score), dict(zip(classes, row, strict=True)))
            for label, score, row in zip(labels, scores, rows, strict=True)
        ]
