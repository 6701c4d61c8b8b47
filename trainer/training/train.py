"""The training, readable from top to bottom; plain Keras on any backend, no TFX."""

import logging
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.trainer.config import AUTO, TrainingRecipe
from contracts.environment.keras_environment import TORCH
from contracts.system.errors import ComponentError
from trainer.batches import evaluation_batches, training_batches
from trainer.batches.sampling import Sampling, steps_per_epoch
from trainer.hardware.devices import Devices, choose_devices, lost_machine_told, precision_policy
from trainer.measurement.batch_size import find_batch_size
from trainer.measurement.learning_rate import find_learning_rate
from trainer.models import build_model
from trainer.training.callbacks import (
    AveragedWeights,
    Course,
    KeepCheckpoints,
    NoteLearningRate,
    ReportProgress,
    SeedPyTorch,
    StopOnNan,
)
from trainer.training.checkpoints import Checkpoint, Progress
from trainer.training.construction import (
    batch_change,
    build_training_model,
    compile_training_model,
    learning_rate,
)
from trainer.training.phases import Phase, phases
from trainer.training.training_model import TrainingModel
from trainer.users.users_callbacks import rate_error_told, users_callbacks

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedModel:
    """The network with the weights of its best epoch, and how it came there."""

    network: Any  # keras.Model: float32 [batch, size, size, 3] in 0..255 -> [batch, classes]
    history: dict[str, list[float]]  # metric -> value of each epoch
    best_epoch: int  # from 0
    steps: int
    seconds: float
    batch_size: int
    learning_rate: float
    rates_tried: dict[str, list[float]] | None  # by the search for it: rates and losses
    devices: str
    is_chief: bool  # False on all but one of several machines
    precision: str = ""  # Keras's name of it


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
    if not dataset.examples.get(features.TRAIN):
        raise ComponentError(f"Trainer: no training examples in {dataset.uri}.")
    config = recipe.trainer
    devices = devices or choose_devices(config.devices)
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
    users = users_callbacks(config)
    keras.config.set_dtype_policy(precision_policy(config.precision, devices.kind))
    with ExitStack() as stack:
        if checkpoint is None or not devices.is_chief:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="imgpipe-training-"))
            checkpoint = Checkpoint(Path(folder), checkpoint)
        progress = checkpoint.progress()
        if progress is None:
            progress = _beginning(recipe, dataset, devices)
        else:
            LOGGER.info("The training goes on after step %s.", f"{progress.step:,}")
        model = build_training_model(recipe, dataset, devices)
        job = _Job(recipe, dataset, devices, checkpoint, progress)
        progress = _fit(model, job, users, callbacks)
        if progress.best_epoch is None:
            raise ComponentError(
                f"Trainer: {monitored(recipe, dataset)} was NaN or infinite in every epoch. Try a "
                "tenth of trainer.learning_rate, or trainer.precision: float32."
            )
        checkpoint.restore(model, ["model"])  # as they were trained, not their averages
        checkpoint.save_last(model.network)
        network = model.network
        if devices.machines > 1:  # each of them goes on with it alone
            network = build_model(config, dataset.size_px, len(dataset.labels))
        network.load_weights(checkpoint.best(progress.best_epoch))
    return TrainedModel(
        network=network,
        history=progress.history,
        best_epoch=progress.best_epoch,
        steps=progress.step,
        seconds=progress.seconds,
        batch_size=progress.batch_size,
        learning_rate=progress.learning_rate,
        rates_tried=progress.rates_tried,
        devices=str(devices),
        is_chief=devices.is_chief,
        precision=keras.config.dtype_policy().name,
    )


@dataclass(frozen=True)
class _Job:
    """What a training is made of besides its model."""

    recipe: TrainingRecipe
    dataset: ImageDataset
    devices: Devices
    checkpoint: Checkpoint
    progress: Progress

    def sampling(self) -> Sampling:
        """Return how the examples are gone through."""
        return Sampling(
            batch_size=self.progress.batch_size,
            seed=self.recipe.seed,
            balanced=self.recipe.trainer.sampling == "balanced",
        )

    def used(self) -> dict[str, str]:
        """Return what the training runs with, where the config may say auto."""
        return {
            "batch_size": str(self.progress.batch_size),
            "learning_rate": repr(self.progress.learning_rate),
            "devices": str(self.devices),
            "precision": keras.config.dtype_policy().name,
        }

    def course(self) -> Course:
        """Return what is ahead."""
        steps = steps_per_epoch(self.dataset, self.sampling())
        return Course(self.recipe.trainer.epochs, steps, self.progress.step)


def monitored(recipe: TrainingRecipe, dataset: ImageDataset) -> str:
    """Return the metric that tells the best epoch: the training's own where none is validated."""
    monitor = recipe.trainer.monitor
    return monitor if dataset.examples.get(features.VALIDATION) else monitor.removeprefix("val_")


def _fit(
    model: TrainingModel, job: _Job, users: Sequence[Any], callbacks: Sequence[Any]
) -> Progress:
    """Fit the model phase by phase, up to the last epoch or until it gets no better."""
    config = job.recipe.trainer
    for phase in phases(config, job.progress.learning_rate):
        if job.progress.epochs >= phase.end_epoch:
            continue
        phase.choose_layers(model.network)
        steps = job.course().steps_per_epoch
        rate = learning_rate(config, phase.learning_rate, phase.epochs, steps)
        compile_training_model(model, job.recipe, rate, job.devices)
        while not _is_over(phase, job):
            with rate_error_told(config), lost_machine_told(job.devices):
                job = _fit_on(model, phase, job, users, callbacks)
            if model.stop_training:  # patience is at its end, or a callback wanted it
                return job.progress
    return job.progress


def _fit_on(
    model: TrainingModel, phase: Phase, job: _Job, users: Sequence[Any], callbacks: Sequence[Any]
) -> _Job:
    """Fit the model from where the training is, to the end of the phase.

    An epoch that was interrupted is finished by itself: `fit` knows epochs of one length.
    """
    config, course = job.recipe.trainer, job.course()
    epoch, gone = divmod(job.progress.step, course.steps_per_epoch)
    if job.progress.step:
        begins = epoch == phase.first_epoch and not gone  # with an optimiser of its own
        job.checkpoint.restore(model, ["model"] if begins else ["model", "optimizer"])
    if gone and job.devices.strategy is None:
        model.create_metrics()
    keep = KeepCheckpoints(job.checkpoint, job.progress, course)
    keep.monitor = monitored(job.recipe, job.dataset)
    keep.patience = 0 if phase.trains_head_alone else config.early_stopping_patience
    keep.first_epoch = phase.first_epoch
    # Reading the metrics of several machines is done by all of them together, or by none.
    keep.every_s = config.checkpoint_every_s if job.devices.machines == 1 else 0.0
    averaged = [AveragedWeights()] if config.ema_momentum else []
    seeded = [SeedPyTorch(course, job.recipe.seed)] if keras.backend.backend() == TORCH else []
    # What the user's own set at the end of an epoch, such as a rate, is part of the state.
    own = [StopOnNan(course), NoteLearningRate(), *averaged, *users, keep, ReportProgress(course)]
    steps = course.steps_per_epoch - gone
    model.course, model.used = course, job.used()
    change = batch_change(job.recipe, job.dataset)
    model.fit(
        training_batches(job.dataset, job.sampling(), keep.position, steps, change),
        validation_data=_validation(job),
        initial_epoch=epoch,
        epochs=epoch + 1 if gone else phase.end_epoch,
        callbacks=[*seeded, *own, *callbacks],
        shuffle=False,  # the batches are shuffled already
        verbose=0,
    )
    return replace(job, progress=keep.progress)


def _is_over(phase: Phase, job: _Job) -> bool:
    """Tell whether the last epoch of a phase is done, or patience is at its end."""
    patience = 0 if phase.trains_head_alone else job.recipe.trainer.early_stopping_patience
    progress = job.progress
    return progress.epochs >= phase.end_epoch or progress.is_out_of_patience(
        patience, phase.first_epoch
    )


def _beginning(recipe: TrainingRecipe, dataset: ImageDataset, devices: Devices) -> Progress:
    """Return where a training begins, with batch size and learning rate measured where asked."""
    size, rate = recipe.trainer.batch_size, recipe.trainer.learning_rate
    if size == AUTO:
        size = find_batch_size(recipe, dataset, devices)
    if rate != AUTO:
        return Progress(batch_size=size, learning_rate=rate)
    curve = find_learning_rate(recipe, dataset, devices, size)
    return Progress(batch_size=size, learning_rate=curve.rate(), rates_tried=asdict(curve))


def _validation(job: _Job) -> Any:
    images = job.dataset.examples.get(features.VALIDATION, 0)
    if not images:
        return None
    size = job.devices.evaluation_size(images, job.progress.batch_size)
    return evaluation_batches(job.dataset, features.VALIDATION, size)
