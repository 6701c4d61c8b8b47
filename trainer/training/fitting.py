"""Fits the training model phase by phase, from where a training stands to its end."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import keras

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.trainer.config import AUTO, TrainingRecipe
from contracts.environment.keras_environment import TORCH
from trainer.batches import evaluation_batches, training_batches
from trainer.batches.sampling import Sampling, steps_per_epoch
from trainer.hardware.devices import Devices, lost_machine_explained
from trainer.measurement.batch_size import find_batch_size
from trainer.measurement.learning_rate import find_learning_rate
from trainer.training.averages import AveragedWeights
from trainer.training.callbacks import (
    KeepCheckpoints,
    LogLearningRate,
    ReportProgress,
    SeedPyTorch,
    StopOnNan,
)
from trainer.training.checkpoints import Checkpoint, TrainingProgress
from trainer.training.construction import batch_change, compile_training_model, learning_rate
from trainer.training.phases import Phase, phases
from trainer.training.step_plan import StepPlan
from trainer.training.trained_model import used_values
from trainer.training.training_model import TrainingModel
from trainer.users.users_callbacks import rate_error_explained


@dataclass(frozen=True)
class FitState:
    """What a training is made of besides its model, and how far it has come."""

    recipe: TrainingRecipe
    dataset: ImageDataset
    devices: Devices
    checkpoint: Checkpoint
    progress: TrainingProgress

    def sampling(self) -> Sampling:
        """Return how batches are drawn from the training split."""
        return Sampling(
            batch_size=self.progress.batch_size,
            seed=self.recipe.seed,
            balanced=self.recipe.trainer.sampling == "balanced",
        )

    def used(self) -> dict[str, str]:
        """Return what the training runs with, where the config may say auto."""
        return used_values(self.progress, str(self.devices), keras.config.dtype_policy().name)

    def plan(self) -> StepPlan:
        """Return the steps of the whole training, and those that are done."""
        steps = steps_per_epoch(self.dataset, self.sampling())
        return StepPlan(self.recipe.trainer.epochs, steps, self.progress.step)


def monitored(recipe: TrainingRecipe, dataset: ImageDataset) -> str:
    """Return the metric that decides the best epoch; without validation images, of the training."""
    monitor = recipe.trainer.monitor
    return monitor if dataset.examples.get(features.VALIDATION) else monitor.removeprefix("val_")


def fit(
    model: TrainingModel, state: FitState, users: Sequence[Any], callbacks: Sequence[Any]
) -> TrainingProgress:
    """Fit the model phase by phase, up to the last epoch or until it gets no better."""
    config = state.recipe.trainer
    for phase in phases(config, state.progress.learning_rate):
        if state.progress.epochs >= phase.end_epoch:
            continue
        phase.choose_layers(model.network)
        steps = state.plan().steps_per_epoch
        rate = learning_rate(config, phase.learning_rate, phase.epochs, steps)
        compile_training_model(model, state.recipe, rate, state.devices)
        while not _is_over(phase, state):
            with rate_error_explained(config), lost_machine_explained(state.devices):
                state = _fit_phase(model, phase, state, users, callbacks)
            if model.stop_training:  # patience is at its end, or a callback wanted it
                return state.progress
    return state.progress


def _fit_phase(
    model: TrainingModel,
    phase: Phase,
    state: FitState,
    users: Sequence[Any],
    callbacks: Sequence[Any],
) -> FitState:
    """Fit the model from where the training is, to the end of the phase.

    An epoch that was interrupted is finished by itself: `fit` knows epochs of one length.
    """
    config, plan = state.recipe.trainer, state.plan()
    epoch, gone = divmod(state.progress.step, plan.steps_per_epoch)
    if state.progress.step:
        begins = epoch == phase.first_epoch and not gone  # with an optimiser of its own
        state.checkpoint.restore(model, ["model"] if begins else ["model", "optimizer"])
    if gone and state.devices.strategy is None:
        model.create_metrics()
    keep = KeepCheckpoints(state.checkpoint, state.progress, plan)
    keep.monitor = monitored(state.recipe, state.dataset)
    keep.patience = 0 if phase.trains_head_alone else config.early_stopping_patience
    keep.first_epoch = phase.first_epoch
    # Reading the metrics of several machines is done by all of them together, or by none.
    keep.every_s = config.checkpoint_every_s if state.devices.machines == 1 else 0.0
    averaged = [AveragedWeights()] if config.ema_momentum else []
    seeded = [SeedPyTorch(plan, state.recipe.seed)] if keras.backend.backend() == TORCH else []
    # The user's callbacks come before `keep`: a rate that they set at an epoch's end is part of the
    # state.
    own = [StopOnNan(plan), LogLearningRate(), *averaged, *users, keep, ReportProgress(plan)]
    steps = plan.steps_per_epoch - gone
    model.step_plan, model.used = plan, state.used()
    change = batch_change(state.recipe, state.dataset)
    model.fit(
        training_batches(state.dataset, state.sampling(), keep.position, steps, change),
        validation_data=_validation(state),
        initial_epoch=epoch,
        epochs=epoch + 1 if gone else phase.end_epoch,
        callbacks=[*seeded, *own, *callbacks],
        shuffle=False,  # the batches are shuffled already
        verbose=0,
    )
    return replace(state, progress=keep.progress)


def _is_over(phase: Phase, state: FitState) -> bool:
    """Return whether the last epoch of a phase is done, or patience is at its end."""
    patience = 0 if phase.trains_head_alone else state.recipe.trainer.early_stopping_patience
    progress = state.progress
    return progress.epochs >= phase.end_epoch or progress.is_out_of_patience(
        patience, phase.first_epoch
    )


def first_progress(
    recipe: TrainingRecipe, dataset: ImageDataset, devices: Devices
) -> TrainingProgress:
    """Return where a training begins, with batch size and learning rate measured where asked."""
    size, rate = recipe.trainer.batch_size, recipe.trainer.learning_rate
    if size == AUTO:
        size = find_batch_size(recipe, dataset, devices)
    if rate != AUTO:
        return TrainingProgress(batch_size=size, learning_rate=rate)
    curve = find_learning_rate(recipe, dataset, devices, size)
    return TrainingProgress(batch_size=size, learning_rate=curve.rate(), rates_tried=asdict(curve))


def _validation(state: FitState) -> Any:
    images = state.dataset.examples.get(features.VALIDATION, 0)
    if not images:
        return None
    size = state.devices.evaluation_size(images, state.progress.batch_size)
    return evaluation_batches(state.dataset, features.VALIDATION, size)
