"""The largest batch that the memory holds, by trial."""

import resource
from pathlib import Path
from typing import Any

import numpy as np

from contracts.errors import ComponentError
from contracts.progress import report
from contracts.training import TrainingRecipe
from trainer.batches.sampling import Sampling, pass_length
from trainer.construction import build_training_model, compile_training_model, learning_rate
from trainer.data import CHANNELS, ImageDataset
from trainer.devices import Devices, gpus
from trainer.training_model import TrainingModel

SMALLEST, LARGEST = 8, 4096
STEPS_AN_EPOCH = 20  # fewer teach little
SPARE = 0.8  # part of a machine's free memory that may be taken
TRIAL_STEPS = 2


def find_batch_size(recipe: TrainingRecipe, dataset: ImageDataset, devices: Devices) -> int:
    """Return the largest power of two that fits the memory and leaves 20 steps an epoch.

    Each size is trained on for two steps; the model is thrown away.

    Raises:
      ComponentError: not even the smallest fits, or several machines would have to agree.
    """
    if devices.machines > 1:
        raise ComponentError(
            "Trainer: expected trainer.batch_size as a number with several machines, which have "
            "to agree on it, received auto."
        )
    balanced = recipe.trainer.sampling == "balanced"
    images = pass_length(dataset, Sampling(SMALLEST, recipe.seed, balanced))
    model = build_training_model(recipe, dataset, devices)
    compile_training_model(model, recipe, learning_rate(recipe.trainer, 1e-9, 1, 1), devices)
    fitting, size = 0, SMALLEST
    most = max(SMALLEST, min(LARGEST, images // STEPS_AN_EPOCH))
    while size <= most and _fits(model, size, dataset):
        fitting = size
        report(fitting, 0, "images a step", "(looking for the batch size)")
        size *= 2
    if not fitting:
        raise ComponentError(
            f"Trainer: not even {SMALLEST} images a step fit the memory. Take a smaller "
            "trainer.model or preprocessing.image_size_px."
        )
    return fitting


def _fits(model: TrainingModel, size: int, dataset: ImageDataset) -> bool:
    """Train a little on empty images; tell whether that fitted and twice as many would too."""
    pixels = np.zeros((size, dataset.size_px, dataset.size_px, CHANNELS), np.uint8)
    targets = np.eye(len(dataset.labels), dtype=np.float32)[np.zeros(size, int)]
    before = _peak_bytes()
    try:
        for _ in range(TRIAL_STEPS):
            model.train_on_batch({"pixels": pixels, "targets": targets}, targets)
    except Exception as error:
        if is_out_of_memory(error):
            return False
        raise
    # A GPU says so by itself; a machine that runs out of memory ends processes.
    return bool(gpus()) or 2 * (_peak_bytes() - before) < SPARE * _free_bytes()


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error of TensorFlow or JAX says that memory ran out."""
    text = f"{type(error).__name__}: {error}"
    return isinstance(error, MemoryError) or any(
        sign in text for sign in ("ResourceExhausted", "RESOURCE_EXHAUSTED", "out of memory")
    )


def _peak_bytes() -> int:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _free_bytes(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Return the memory that can still be had."""
    lines: Any = (line.split(":") for line in meminfo.read_text().splitlines())
    return int(dict(lines)["MemAvailable"].split()[0]) * 1024
