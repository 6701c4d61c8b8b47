"""The order of the training examples, which follows from the seed and the place alone."""

import numpy as np

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from trainer.array_types import IntArray
from trainer.batches.sampling import Sampling, examples_a_class, pass_length


class Order:
    """The numbers of the examples in each pass over the training split."""

    def __init__(
        self, dataset: ImageDataset, sampling: Sampling, labels: IntArray | None = None
    ) -> None:
        """Balanced sampling needs the label index of each example, int [examples]."""
        self._counts = dataset.label_counts[features.TRAIN]
        self._length = pass_length(dataset, sampling)
        self._seed = sampling.seed
        self._labels = labels if sampling.balanced else None
        self._passes: dict[int, IntArray] = {}  # the last orders; a batch may lie in two

    def numbers(self, first: int, count: int) -> IntArray:
        """Return the examples at so many places from the first one on, int64 [count]."""
        parts = []
        while count:
            number, rank = divmod(first, self._length)
            parts.append(self._pass(number)[rank : rank + count])
            first += len(parts[-1])
            count -= len(parts[-1])
        return np.concatenate(parts)

    def _pass(self, number: int) -> IntArray:
        if number not in self._passes:
            self._passes = {n: order for n, order in self._passes.items() if n == number - 1}
            self._passes[number] = self._shuffled(np.random.default_rng([self._seed, number]))
        return self._passes[number]

    def _shuffled(self, random: np.random.Generator) -> IntArray:
        if self._labels is None:
            return random.permutation(sum(self._counts))
        wanted = examples_a_class(self._counts)
        chosen = []
        for label in np.unique(self._labels):
            members = random.permutation(np.flatnonzero(self._labels == label))
            chosen.append(np.resize(members, wanted))
        return random.permutation(np.concatenate(chosen))
