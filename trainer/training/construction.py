"""A recipe -> the model that is fitted, with its optimiser, loss and metrics."""

from typing import Final

import keras

from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.augmentation.policy import resolve_policy
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from contracts.environment.keras_environment import TENSORFLOW, TORCH
from trainer.augmentation import Augmentation
from trainer.augmentation.albumentations import CpuAugmentation
from trainer.batches.sampling import BatchChange
from trainer.hardware.devices import Devices, compiles
from trainer.models import build_model
from trainer.optimisation.losses import build_loss, class_weights
from trainer.optimisation.optimizers import build_optimizer
from trainer.optimisation.schedules import LearningRate
from trainer.training.training_model import (
    MultiWorkerTrainingModel,
    ReplicatedTrainingModel,
    TrainingModel,
)
from trainer.users.users_code import users_instance

# Steps that run before Keras returns to Python (`steps_per_execution`): more make small models
# faster.
STEPS_PER_EXECUTION: Final = 8


def build_training_model(
    recipe: TrainingRecipe, dataset: ImageDataset, devices: Devices
) -> TrainingModel:
    """Return the untrained model with its augmentation, the same for the same seed."""
    keras.utils.set_random_seed(recipe.seed)
    config = recipe.trainer
    weights = class_weights(config, dataset.labels, dataset.label_counts[features.TRAIN])
    # With JAX one program sees the whole batch.
    is_replicated = devices.replicas > 1 and keras.backend.backend() == TENSORFLOW
    several = MultiWorkerTrainingModel if devices.machines > 1 else ReplicatedTrainingModel
    kind = several if is_replicated else TrainingModel
    with devices.scope():
        network = build_model(config, dataset.size_px, len(dataset.labels))
        if is_replicated:
            _synchronise_norms(network)
        augmentation = Augmentation(recipe.augmentation, dataset.labels, recipe.seed)
        return kind(network, augmentation, weights)


def compile_training_model(
    model: TrainingModel,
    recipe: TrainingRecipe,
    rate: keras.optimizers.schedules.LearningRateSchedule | float,
    devices: Devices,
    steps_per_execution: int | None = None,
) -> None:
    """Give the model the configured optimiser, loss and metrics."""
    config = recipe.trainer
    executed = steps_per_execution or STEPS_PER_EXECUTION
    is_stepwise = devices.replicas > 1 or keras.backend.backend() == TORCH
    with devices.scope():
        users_metrics = [
            users_instance(one, "trainer.metrics", keras.metrics.Metric) for one in config.metrics
        ]
        model.compile(
            optimizer=build_optimizer(config, rate, model.trainable_variables),
            loss=build_loss(config),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy"), *users_metrics],
            # Keras cannot gather several steps of several replicas, nor any with PyTorch.
            steps_per_execution=1 if is_stepwise else executed,
            jit_compile=compiles(config.jit_compile, devices),
        )
        model.optimizer.build(model.trainable_variables)


def learning_rate(
    config: TrainerConfig, peak: float, epochs: int, epoch_steps: int
) -> LearningRate | float:
    """Return the learning rate of each step of so many epochs; steps without an update count too.

    A rate that stays is a number, which callbacks may set.
    """
    if config.is_rate_settable:
        return peak
    return LearningRate(
        kind=config.schedule,
        peak=peak,
        steps=epochs * epoch_steps,
        rise=round(config.warmup(epochs) * epoch_steps),
    )


def batch_change(recipe: TrainingRecipe, dataset: ImageDataset) -> BatchChange | None:
    """Return what changes batches before they reach the model, where the model does not."""
    if recipe.augmentation.backend == "keras":
        return None
    policy = resolve_policy(recipe.augmentation)
    return CpuAugmentation(policy, dataset.labels, recipe.seed).augmented


def _synchronise_norms(network: keras.Model) -> None:
    """Let batch norms take mean and variance over all replicas, as over the whole batch."""
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
