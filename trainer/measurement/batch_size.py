"""The largest batch that fits in memory, found by trial."""

from dataclasses import dataclass

import keras
import numpy as np

from contracts.artifacts.image_dataset import CHANNELS, ImageDataset
from contracts.config.trainer.config import TrainingRecipe
from contracts.environment.keras_environment import TENSORFLOW
from contracts.system.errors import ComponentError
from contracts.system.memory import read_memory
from contracts.system.progress import report_progress
from trainer.batches.sampling import Sampling, pass_length
from trainer.hardware.devices import Devices
from trainer.measurement.peak_memory import PeakMemory, held_bytes
from trainer.training.construction import (
    build_training_model,
    compile_training_model,
    learning_rate,
)
from trainer.training.training_model import TrainingModel

SMALLEST, LARGEST = 8, 4096
STEPS_AN_EPOCH = 20  # with fewer, an epoch changes little
SPARE = 0.8  # share of the available memory that a trial may take
TRIAL_STEPS = 2

# In the messages of TensorFlow, JAX and PyTorch when memory runs out.
SIGNS = ("ResourceExhausted", "RESOURCE_EXHAUSTED", "out of memory", "can't allocate memory")


def find_batch_size(recipe: TrainingRecipe, dataset: ImageDataset, devices: Devices) -> int:
    """Return the largest batch that fits the memory and leaves 20 steps an epoch.

    From 8 images on, or as many more as the devices can share, sizes are doubled. Each is trained
    on for two steps; the model is thrown away.

    Raises:
      ComponentError: not even the smallest fits, or several machines would have to agree.
    """
    if devices.machines > 1:
        raise ComponentError(
            "Trainer: expected trainer.batch_size as a number with several machines, which have "
            "to agree on it, received auto."
        )
    balanced = recipe.trainer.sampling == "balanced"
    smallest = -(-SMALLEST // devices.replicas) * devices.replicas
    images = pass_length(dataset, Sampling(smallest, recipe.seed, balanced))
    model = build_training_model(recipe, dataset, devices)
    compile_training_model(model, recipe, learning_rate(recipe.trainer, 1e-9, 1, 1), devices)
    # Freed memory may stay with the process, so all trials are measured from this level.
    budget = _MemoryBudget(held_bytes(), read_memory().available)
    fitting, size = 0, smallest
    most = max(smallest, min(LARGEST, images // STEPS_AN_EPOCH))
    # `train_on_batch` gives its batch to each of TensorFlow's replicas; JAX shares it.
    each_takes = devices.replicas if keras.backend.backend() == TENSORFLOW else 1
    while size <= most and _fits(model, size // each_takes, dataset, budget, devices):
        fitting = size
        report_progress(fitting, 0, "images a step", "(looking for the batch size)")
        size *= 2
    if not fitting:
        raise ComponentError(
            f"Trainer: not even {smallest} images a step fit the memory. Take a smaller "
            "trainer.model or preprocessing.image_size_px."
        )
    return fitting


@dataclass(frozen=True)
class _MemoryBudget:
    """Bytes that the process held before the first trial, and that were left to it."""

    held: int
    available: int

    def allows_twice(self, peak: int) -> bool:
        """Return whether a trial with this peak could have been twice as large."""
        return 2 * (peak - self.held) < SPARE * self.available


def _fits(
    model: TrainingModel, size: int, dataset: ImageDataset, budget: _MemoryBudget, devices: Devices
) -> bool:
    """Train two steps on empty images; return whether these and twice as many fit."""
    pixels = np.zeros((size, dataset.size_px, dataset.size_px, CHANNELS), np.uint8)
    targets = np.eye(len(dataset.labels), dtype=np.float32)[np.zeros(size, int)]
    try:
        with PeakMemory() as peak:
            for _ in range(TRIAL_STEPS):
                model.train_on_batch({"pixels": pixels, "targets": targets}, targets)
    except Exception as error:
        if is_out_of_memory(error):
            return False
        raise
    # A GPU raises an error; a machine that runs out of memory kills processes.
    return devices.has_gpus or budget.allows_twice(peak.bytes)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of Keras's backend says that memory ran out."""
    text = f"{type(error).__name__}: {error}"
    return isinstance(error, MemoryError) or any(sign in text for sign in SIGNS)
