"""How many examples a training draws, and from which step on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from trainer.array_types import FloatArray, PixelArray


@dataclass(frozen=True)
class Sampling:
    """How batches are drawn from the training split."""

    batch_size: int
    seed: int
    balanced: bool = False  # each class as often as any other


@dataclass
class Position:
    """The step at which the next epoch begins; `fit` iterates the same data set in each epoch."""

    step: int = 0  # batches that were drawn before


# Pixels uint8 [batch, size, size, 3], targets float32 [batch, classes] and the number of the batch
# in the whole training -> pixels and targets, float32.
BatchChange = Callable[[PixelArray, FloatArray, int], tuple[FloatArray, FloatArray]]


def pass_length(dataset: ImageDataset, sampling: Sampling) -> int:
    """Return the examples of one pass over the training split."""
    if sampling.balanced:
        counts = dataset.label_counts[features.TRAIN]
        return examples_a_class(counts) * sum(count > 0 for count in counts)
    return dataset.examples[features.TRAIN]


def steps_per_epoch(dataset: ImageDataset, sampling: Sampling) -> int:
    """Return the batches in which every example of a pass has been seen."""
    return -(-pass_length(dataset, sampling) // sampling.batch_size)


def examples_a_class(counts: Sequence[int]) -> int:
    """Return how often each class comes in a balanced pass, about as long as a natural one."""
    return max(1, sum(counts) // max(1, sum(count > 0 for count in counts)))
