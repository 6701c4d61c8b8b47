"""Learning rate range test: the rate rises at each step until the loss rises (Smith, 2017)."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.trainer.config import TrainingRecipe
from contracts.system.errors import ComponentError
from contracts.system.progress import report_progress
from trainer.batches import training_batches
from trainer.batches.sampling import Position, Sampling
from trainer.hardware.devices import Devices
from trainer.training.construction import batch_change, build_training_model, compile_training_model
from trainer.training.phases import phases

# Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186, 3.3, as fastai runs it.
LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 100
SMOOTHING = 0.9
DIVERGED = 4.0  # times the lowest loss
BELOW_LOWEST_LOSS = 10.0


@keras.saving.register_keras_serializable("imgpipe")
class RisingRates(keras.optimizers.schedules.LearningRateSchedule):
    """Rates that rise by the same factor at each step, from the lowest to the highest."""

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, counted from 0: float32 []."""
        step = keras.ops.cast(step, "float32")
        return LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` takes."""
        return {}


@dataclass(frozen=True)
class LossCurve:
    """The smoothed loss at each rate, up to where the trial ended."""

    rates: list[float]
    losses: list[float]

    def rate(self) -> float:
        """Return a tenth of the rate with the lowest loss: the steep middle of the descent.

        Raises:
          ComponentError: there was no finite loss at all.
        """
        if not self.losses:
            raise ComponentError(
                "Trainer: the loss was NaN or infinite at the lowest learning rate already, so "
                "that none can be found. Try trainer.precision: float32, or another trainer.model."
            )
        return self.rates[int(np.argmin(self.losses))] / BELOW_LOWEST_LOSS


def find_learning_rate(
    recipe: TrainingRecipe, dataset: ImageDataset, devices: Devices, batch_size: int
) -> LossCurve:
    """Return the losses of a short training under rising rates; the model is thrown away."""
    model = build_training_model(recipe, dataset, devices)
    phases(recipe.trainer, LOWEST)[0].choose_layers(model.network)
    compile_training_model(model, recipe, RisingRates(), devices, steps_per_execution=1)
    trial = _LossRecorder()
    balanced = recipe.trainer.sampling == "balanced"
    sampling = Sampling(batch_size, recipe.seed, balanced)
    change = batch_change(recipe, dataset)
    batches = training_batches(dataset, sampling, Position(), STEPS, change)
    model.fit(batches, callbacks=[trial], shuffle=False, verbose=0)
    return trial.curve()


class _LossRecorder(keras.callbacks.Callback):
    """Records the loss of each step, and stops where it has become many times the lowest."""

    def __init__(self) -> None:
        super().__init__()
        self._sum = self._mean = 0.0
        self._losses: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Smooth the loss of this step, which `fit` gives as the mean so far."""
        mean = (logs or {})["loss"]
        total = mean * (batch + 1)
        loss, self._sum = total - self._sum, total
        if math.isfinite(loss):
            self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * loss
            self._losses.append(self._mean / (1 - SMOOTHING ** (batch + 1)))
        report_progress(batch + 1, STEPS, "steps", "(looking for a learning rate)")
        if not math.isfinite(loss) or self._losses[-1] > DIVERGED * min(self._losses):
            self.model.stop_training = True

    def curve(self) -> LossCurve:
        """Return the rates and losses that were recorded."""
        rising = RisingRates()
        rates = [float(rising(step)) for step in range(len(self._losses))]
        return LossCurve(rates, self._losses)
