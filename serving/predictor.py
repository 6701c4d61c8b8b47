"""Encoded images -> label and probabilities."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from contracts.artifacts import signatures
from serving.saved_model import IMAGES_A_STEP, load_signature


@dataclass(frozen=True)
class Prediction:
    """What a model answers for one image."""

    label: str
    score: float  # probability of the label
    probabilities: dict[str, float]  # by label


class Predictor:
    """A loaded SavedModel."""

    def __init__(self, folder: Path) -> None:
        """Load the SavedModel in `folder`.

        Raises:
          contracts.system.errors.ComponentError: there is none, it is damaged, or it is not one of
            ours.
        """
        self._signature = load_signature(folder)

    def predict(self, images: Sequence[bytes]) -> list[Prediction]:
        """Return a prediction for each image, in order.

        Args:
          images: canonical bytes (`serving.image_files`), or raw files of the kinds that the
            model's serving_images.md names.

        Raises:
          tensorflow.errors.InvalidArgumentError: a raw file is of another kind, or damaged.
        """
        predictions: list[Prediction] = []
        for first in range(0, len(images), IMAGES_A_STEP):
            predictions += self._predict_step(images[first : first + IMAGES_A_STEP])
        return predictions

    def _predict_step(self, images: Sequence[bytes]) -> Iterator[Prediction]:
        outputs = self._signature(tf.constant(list(images)))
        labels = outputs[signatures.OUTPUT_LABEL].numpy()
        scores = outputs[signatures.OUTPUT_SCORE].numpy()
        classes = [name.decode() for name in outputs[signatures.OUTPUT_CLASSES][0].numpy()]
        rows = outputs[signatures.OUTPUT_PROBABILITIES].numpy().tolist()
        for label, score, row in zip(labels, scores, rows, strict=True):
            yield Prediction(label.decode(), float(score), dict(zip(classes, row, strict=True)))
