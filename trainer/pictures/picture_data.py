"""What the pictures of a model are drawn from; each part is computed when it is first needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from contracts.artifacts import features
from contracts.artifacts.image_dataset import CHANNELS, random_records
from contracts.artifacts.tf_example import parse
from contracts.artifacts.tf_record import record_at
from contracts.config.explanation import ExplainedImages
from trainer.array_types import FloatArray, IntArray
from trainer.pictures.chosen_images import chosen_pixels
from trainer.pictures.layers import (
    TracedCall,
    features_and_probabilities,
    head_of,
    trace_calls,
)
from trainer.pictures.picture import CannotDraw

if TYPE_CHECKING:
    from contracts.artifacts.image_dataset import ImageDataset
    from trainer.training.train import TrainedModel

# Larger splits are sampled at random, the same for the same seed.
MOST_VALIDATION_IMAGES = 5000
MOST_TRAINING_IMAGES = 2000

# Batch size of the network's calls.
MOST_AT_ONCE = 256
PIXELS_AT_ONCE = 32 * 224**2


@dataclass(frozen=True)
class SplitPredictions:
    """What a network predicts for images of a split, in the order of the files."""

    truth: IntArray  # int [images]
    features: FloatArray  # float32 [images, features], what the last layer is given, if known
    probabilities: FloatArray  # float32 [images, classes]
    of: int  # images in the whole split

    @property
    def predicted(self) -> IntArray:
        """The most probable class of each, int [images]."""
        classes: IntArray = self.probabilities.argmax(axis=1)
        return classes

    @property
    def scores(self) -> FloatArray:
        """The probability of that class, float32 [images]."""
        scores: FloatArray = self.probabilities.max(axis=1)
        return scores

    def count_text(self, split: str) -> str:
        """Return how many images these are: "180 validation images"."""
        count = len(self.truth)
        some_of = "" if count == self.of else f" of {self.of:,}"
        return f"{count:,}{some_of} {split} images"


class PictureData:
    """A trained network, the data that it was trained on, and what it predicts for them."""

    def __init__(
        self, trained: "TrainedModel", dataset: "ImageDataset", images: ExplainedImages, seed: int
    ) -> None:
        """Take the images that a picture shows, and the seed of their choice."""
        self.network: Any = trained.network
        self.history = trained.history
        self.best_epoch = trained.best_epoch
        self.learning_rate = trained.learning_rate
        self.rates_tried = trained.rates_tried
        self.labels: Sequence[str] = dataset.labels
        self._count = images.count
        self._files = images.chosen
        self._dataset = dataset
        self._at_once = max(1, min(MOST_AT_ONCE, PIXELS_AT_ONCE // dataset.size_px**2))
        self._seed = seed
        self._samples: dict[str, list[tuple[Path, int]]] = {}

    @cached_property
    def calls(self) -> list[TracedCall]:
        """The calls of the network's layers in one pass."""
        return trace_calls(self.network, self._dataset.size_px)

    @cached_property
    def validation(self) -> SplitPredictions:
        """The validation split, at most MOST_VALIDATION_IMAGES of it.

        Raises:
          CannotDraw: it is empty.
        """
        if not self._dataset.examples.get(features.VALIDATION):
            raise CannotDraw("there are no validation images.")
        return self._predict(features.VALIDATION)

    @cached_property
    def training(self) -> SplitPredictions:
        """The training split, at most MOST_TRAINING_IMAGES of it."""
        return self._predict(features.TRAIN)

    def users_images(self) -> list[FloatArray]:
        """Return the user's own images, float32 [size, size, 3] in 0..255 each.

        Raises:
          CannotDraw: one of them cannot be read.
        """
        return chosen_pixels(self._files, self._dataset)

    @cached_property
    def sample(self) -> IntArray:
        """A fixed sample of validation images, int [images], ascending."""
        count = len(self.validation.truth)
        drawn = np.random.default_rng(self._seed).permutation(count)
        return np.sort(drawn[: self._count])

    @cached_property
    def hardest(self) -> IntArray:
        """The validation images that are wrong with the highest scores, worst first.

        Where there are too few of them, the right ones with the lowest scores follow.
        """
        predictions = self.validation
        is_wrong = predictions.predicted != predictions.truth
        badness = np.where(is_wrong, 1 + predictions.scores, -predictions.scores)
        return np.argsort(-badness, kind="stable")[: self._count]

    def pixels(self, split: str, indices: Sequence[int] | IntArray) -> FloatArray:
        """Return images of the sample by their position, float32 [n, size, size, 3] in 0..255."""
        records = self._records(split)
        return self._read([records[index] for index in indices])[0]

    def _predict(self, split: str) -> SplitPredictions:
        traced = head_of(self.calls)
        head = traced.call if traced else None
        truth, inner, probabilities = [], [], []
        records = self._records(split)
        for start in range(0, len(records), self._at_once):
            pixels, labels = self._read(records[start : start + self._at_once])
            seen, gave = features_and_probabilities(self.network, head, pixels)
            truth.append(labels)
            inner.append(seen)
            probabilities.append(gave)
        return SplitPredictions(
            np.concatenate(truth),
            np.concatenate(inner),
            np.concatenate(probabilities),
            self._dataset.examples[split],
        )

    def _records(self, split: str) -> list[tuple[Path, int]]:
        """Return the sample of a split, each record as file and place, in their order."""
        if split not in self._samples:
            most = {
                features.VALIDATION: MOST_VALIDATION_IMAGES,
                features.TRAIN: MOST_TRAINING_IMAGES,
            }[split]
            numbers = np.random.default_rng(self._seed)
            drawn = random_records(self._dataset.files(split), most, numbers)
            self._samples[split] = sorted(drawn)
        return self._samples[split]

    def _read(self, records: Sequence[tuple[Path, int]]) -> tuple[FloatArray, IntArray]:
        """Return pixels, float32 [n, size, size, 3], and label indices, int [n]."""
        names = [features.PIXELS, features.LABEL_INDEX]
        values = [parse(record_at(file, place), names) for file, place in records]
        flat = np.frombuffer(b"".join(one[features.PIXELS] for one in values), np.uint8)
        size = self._dataset.size_px
        pixels = flat.reshape(-1, size, size, CHANNELS).astype(np.float32)
        return pixels, np.array([one[features.LABEL_INDEX] for one in values])
