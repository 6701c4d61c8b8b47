"""The training, readable from top to bottom; plain Keras on any backend, no TFX."""

import logging
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.trainer.config import AUTO, TrainingRecipe
from contracts.system.errors import ComponentError
from trainer.hardware.devices import Devices, choose_devices, precision_policy
from trainer.training.checkpoints import Checkpoint, TrainingProgress
from trainer.training.construction import build_training_model
from trainer.training.fitting import FitState, first_progress, fit, monitored
from trainer.training.trained_model import TrainedModel, trained_network
from trainer.training.training_model import TrainingModel
from trainer.users.users_callbacks import users_callbacks

LOGGER = logging.getLogger(__name__)

__all__ = ["TrainedModel", "train"]


def train(
    recipe: TrainingRecipe,
    dataset: ImageDataset,
    callbacks: Sequence[Any] = (),
    checkpoint: Checkpoint | None = None,
    devices: Devices | None = None,
) -> TrainedModel:
    """Train the configured model and return it with the weights of its best epoch.

    The best epoch is the one with the best `trainer.monitor` on the validation split (on the
    training split where there is no validation split). The test split is never read.

    Args:
      recipe: what to train and how; the same recipe and data give the same weights on the
        same CPU (GPUs add in an order of their own).
      dataset: transformed examples.
      callbacks: further keras.callbacks.Callback objects.
      checkpoint: where the state is kept. A training that finds one there goes on from it, to
        the same end: it has to be of the same recipe and data.
      devices: as `choose_devices` gives them for the recipe; None: they are chosen here.

    Raises:
      ComponentError: the training split is empty, the loss became NaN, or the devices are not
        there.
      ConfigError: code or weights that the recipe names cannot be used.
    """
    config = recipe.trainer
    devices = devices or choose_devices(config.devices)
    _require_trainable(recipe, dataset, devices)
    users = users_callbacks(config)
    keras.config.set_dtype_policy(precision_policy(config.precision, devices.kind))
    with ExitStack() as stack:
        if checkpoint is None or not devices.is_chief:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="imgpipe-training-"))
            checkpoint = Checkpoint(Path(folder), checkpoint)
        progress = checkpoint.progress()
        if progress is None:
            progress = first_progress(recipe, dataset, devices)
        else:
            LOGGER.info("The training goes on after step %s.", f"{progress.step:,}")
        model = build_training_model(recipe, dataset, devices)
        state = FitState(recipe, dataset, devices, checkpoint, progress)
        progress = fit(model, state, users, callbacks)
        network = _best_network(model, state, progress)
    precision = keras.config.dtype_policy().name
    return TrainedModel.of(network, progress, str(devices), precision, is_chief=devices.is_chief)


def _require_trainable(recipe: TrainingRecipe, dataset: ImageDataset, devices: Devices) -> None:
    if not dataset.examples.get(features.TRAIN):
        raise ComponentError(f"Trainer: no training examples in {dataset.uri}.")
    config = recipe.trainer
    if devices.replicas > 1 and config.gradient_accumulation_steps > 1:
        raise ComponentError(
            "Trainer: expected trainer.gradient_accumulation_steps: 1 on several devices, where "
            f"Keras cannot accumulate, received {config.gradient_accumulation_steps}. Take a "
            "larger trainer.batch_size, or one device."
        )
    if config.batch_size != AUTO and config.batch_size % devices.replicas:
        raise ComponentError(
            f"Trainer: expected a trainer.batch_size that {devices.replicas} devices can share, "
            f"received {config.batch_size}. Take a multiple of {devices.replicas}."
        )


def _best_network(model: TrainingModel, state: FitState, progress: TrainingProgress) -> Any:
    """Save the last weights, and return the network with the best ones.

    Raises:
      ComponentError: no epoch is the best one.
    """
    recipe, dataset, checkpoint = state.recipe, state.dataset, state.checkpoint
    if progress.best_epoch is None:
        raise ComponentError(
            f"Trainer: {monitored(recipe, dataset)} was NaN or infinite in every epoch. Try a "
            "tenth of trainer.learning_rate, or trainer.precision: float32."
        )
    checkpoint.restore(model, ["model"])  # as they were trained, not their averages
    checkpoint.save_last(model.network)
    best = checkpoint.best(progress.best_epoch)
    if state.devices.machines > 1:  # each of them goes on with it alone
        return trained_network(recipe, dataset, progress, best)
    model.network.load_weights(best)
    return model.network
