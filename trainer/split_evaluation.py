"""A network on a whole split of transformed examples."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from contracts.artifacts.image_dataset import ImageDataset
from trainer.batches import evaluation_arrays


@dataclass(frozen=True)
class SplitMetrics:
    """Metrics of a network on a split."""

    accuracy: float
    loss: float  # mean cross-entropy, without label smoothing


def evaluate_split(
    network: Any, dataset: ImageDataset, split: str, batch_size: int
) -> SplitMetrics:
    """Return accuracy and loss of a network over every image of a split that has some.

    Args:
      network: float32 [batch, size, size, 3] in 0..255 -> [batch, classes] probabilities.
      dataset: transformed examples.
      split: one of `features.SPLITS`.
      batch_size: images a step.
    """
    hits, losses = [], []
    for pixels, targets in evaluation_arrays(dataset, split, batch_size):
        found = keras.ops.convert_to_numpy(network.predict_on_batch(pixels)).astype(np.float64)
        wanted = np.asarray(targets)
        hits.append(found.argmax(1) == wanted.argmax(1))
        likely = np.clip((found * wanted).sum(1), keras.config.epsilon(), 1.0)
        losses.append(-np.log(likely))
    return SplitMetrics(float(np.concatenate(hits).mean()), float(np.concatenate(losses).mean()))
