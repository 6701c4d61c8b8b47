"""What the pictures of a model are drawn from; each part is worked out when it is first needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from contracts import features
from trainer.pictures.layers import (
    Passage,
    features_and_probabilities,
    head_of,
    passages,
)
from trainer.pictures.picture import CannotDraw

if TYPE_CHECKING:
    from trainer.data import ImageDataset
    from trainer.train import TrainedModel

# However large the data is: its first images. They are stored in the order of a hash of their
# paths, so that these are a fixed random sample.
MOST_VALIDATION_IMAGES = 5000
MOST_TRAINING_IMAGES = 2000

# Images that go through the network at once.
MOST_AT_ONCE = 32
PIXELS_AT_ONCE = 32 * 224**2


@dataclass(frozen=True)
class Judged:
    """Images of a split as the network sees them, in the order of the files."""

    truth: np.ndarray  # int [images]
    features: np.ndarray  # float32 [images, features], what the last layer is given, if known
    probabilities: np.ndarray  # float32 [images, classes]
    of: int  # images in the split

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each, int [images]."""
        return self.probabilities.argmax(axis=1)

    @property
    def scores(self) -> np.ndarray:
        """The probability of that class, float32 [images]."""
        return self.probabilities.max(axis=1)

    def words(self, split: str) -> str:
        """Say how many images these are: "180 validation images"."""
        count = len(self.truth)
        some_of = "" if count == self.of else f" of {self.of:,}"
        return f"{count:,}{some_of} {split} images"


class Evidence:
    """A trained network, the data it was trained on and what it makes of them."""

    def __init__(
        self, trained: "TrainedModel", dataset: "ImageDataset", images: int, seed: int
    ) -> None:
        """Take `images`, how many of the data a picture shows, and the seed of their choice."""
        self.network: Any = trained.network
        self.history = trained.history
        self.best_epoch = trained.best_epoch
        self.learning_rate = trained.learning_rate
        self.rates_tried = trained.rates_tried
        self.labels: Sequence[str] = dataset.labels
        self.images = images
        self._dataset = dataset
        self._at_once = max(1, min(MOST_AT_ONCE, PIXELS_AT_ONCE // dataset.size_px**2))
        self._seed = seed

    @cached_property
    def passages(self) -> list[Passage]:
        """What passes through the network's layers."""
        return passages(self.network, self._dataset.size_px)

    @cached_property
    def validation(self) -> Judged:
        """The validation split, at most MOST_VALIDATION_IMAGES of it.

        Raises:
          CannotDraw: it is empty.
        """
        if not self._dataset.examples.get(features.VALIDATION):
            raise CannotDraw("there are no validation images.")
        return self._judge(features.VALIDATION, MOST_VALIDATION_IMAGES)

    @cached_property
    def training(self) -> Judged:
        """The training split, at most MOST_TRAINING_IMAGES of it."""
        return self._judge(features.TRAIN, MOST_TRAINING_IMAGES)

    @cached_property
    def chosen(self) -> np.ndarray:
        """A fixed sample of validation images, int [images], ascending."""
        count = len(self.validation.truth)
        drawn = np.random.default_rng(self._seed).permutation(count)
        return np.sort(drawn[: self.images])

    @cached_property
    def hardest(self) -> np.ndarray:
        """The validation images that are wrong with the highest scores, worst first.

        Where there are too few of them, the right ones with the lowest scores follow.
        """
        judged = self.validation
        is_wrong = judged.predicted != judged.truth
        badness = np.where(is_wrong, 1 + judged.scores, -judged.scores)
        return np.argsort(-badness, kind="stable")[: self.images]

    def pixels(self, split: str, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return images by their position in a split, float32 [n, size, size, 3] in 0..255."""
        wanted = {int(index) for index in indices}
        found: dict[int, np.ndarray] = {}
        position = 0
        for pixels, _ in self._batches(split):
            for index in wanted & set(range(position, position + len(pixels))):
                found[index] = pixels[index - position]
            position += len(pixels)
            if len(found) == len(wanted):
                break
        return np.stack([found[int(index)] for index in indices])

    def _judge(self, split: str, most: int) -> Judged:
        passage = head_of(self.passages)
        head = passage.place if passage else None
        truth, inner, probabilities = [], [], []
        left = most
        for pixels, labels in self._batches(split):
            seen, gave = features_and_probabilities(self.network, head, pixels[:left])
            truth.append(labels[:left])
            inner.append(seen)
            probabilities.append(gave)
            left -= len(seen)
            if not left:
                break
        return Judged(
            np.concatenate(truth),
            np.concatenate(inner),
            np.concatenate(probabilities),
            self._dataset.examples[split],
        )

    def _batches(self, split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield pixels and label indices, in the order of the files."""
        from trainer.batches import evaluation_arrays

        for pixels, targets in evaluation_arrays(self._dataset, split, self._at_once):
            yield pixels, targets.argmax(axis=1)
