"""The training, readable from top to bottom; plain Keras, no TFX."""

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from contracts import features
from contracts.augmentation_policy import resolve
from contracts.errors import ComponentError
from contracts.training import TrainerConfig, TrainingRecipe
from trainer.augmentation import Augmentation
from trainer.augmentation.albumentations import CpuAugmentation
from trainer.callbacks import ReportProgress
from trainer.data import ImageDataset, batches, changed_batches
from trainer.devices import precision_policy
from trainer.models import build_model
from trainer.training_model import TrainingModel

# Weight decay pulls on kernels alone; biases, norms' scales and offsets stay free
# (He et al., 2019, arXiv:1812.01187, 3.1).
WITHOUT_WEIGHT_DECAY = ["bias", "gamma", "beta"]

# Steps between two returns to Python: small models take a tenth less time, and callbacks still
# come often enough for a progress display.
STEPS_PER_EXECUTION = 8


@dataclass(frozen=True)
class TrainedModel:
    """The network with the weights of its best epoch, and how it came there."""

    network: Any  # keras.Model: float32 [batch, size, size, 3] in 0..255 -> [batch, classes]
    history: dict[str, list[float]]  # metric -> value of each epoch
    best_epoch: int  # from 0
    steps: int
    seconds: float


def train(
    recipe: TrainingRecipe, dataset: ImageDataset, callbacks: Sequence[Any] = ()
) -> TrainedModel:
    """Train the configured model and return it with the weights of its best epoch.

    The best epoch is the one with the lowest loss on the validation split (on the training
    split where there is no validation split). The test split is never read.

    Args:
      recipe: what to train and how; the same recipe and data give the same weights on the
        same CPU (GPUs add in an order of their own).
      dataset: transformed examples.
      callbacks: further keras.callbacks.Callback objects.

    Raises:
      ComponentError: the training split is empty, or the loss became NaN.
    """
    config = recipe.trainer
    if not dataset.examples.get(features.TRAIN):
        raise ComponentError(f"Trainer: no training examples in {dataset.uri}.")
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(precision_policy(config.precision))
    network = build_model(config, dataset.size_px, len(dataset.labels))
    steps_per_epoch = -(-dataset.examples[features.TRAIN] // config.batch_size)
    augmentation = Augmentation(recipe.augmentation, dataset.labels, recipe.seed)
    model = TrainingModel(network, augmentation)
    model.compile(
        optimizer=_optimizer(config, steps_per_epoch),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    monitor = "val_loss" if dataset.examples.get(features.VALIDATION) else "loss"
    started_s = time.monotonic()
    progress = ReportProgress(steps_per_epoch, config.epochs)
    history = _fit(model, recipe, dataset, monitor, [progress, *callbacks])
    return TrainedModel(
        network=network,
        history=history,
        best_epoch=_best_epoch(history[monitor]),
        steps=steps_per_epoch * len(history["loss"]),
        seconds=time.monotonic() - started_s,
    )


def _fit(
    model: Any, recipe: TrainingRecipe, dataset: ImageDataset, monitor: str, callbacks: list[Any]
) -> dict[str, list[float]]:
    """Fit the model, leave it with the weights of its best epoch, and return the history."""
    config = recipe.trainer
    with tempfile.TemporaryDirectory(prefix="imgpipe-checkpoint-") as folder:
        best = Path(folder, "best.weights.h5")
        fitted = model.fit(
            _training(recipe, dataset).map(_with_targets),
            validation_data=_validation(dataset, config.batch_size),
            epochs=config.epochs,
            callbacks=[*_keep_the_best(config, monitor, best), *callbacks],
            shuffle=False,  # the batches are shuffled already
            verbose=0,
        )
        history: dict[str, list[float]] = fitted.history
        _require_finite(history, monitor)
        model.load_weights(best)
    return history


def _training(recipe: TrainingRecipe, dataset: ImageDataset) -> Any:
    batched = batches(dataset, features.TRAIN, recipe.trainer.batch_size, recipe.seed)
    if recipe.augmentation.backend == "keras":
        return batched
    policy = resolve(recipe.augmentation)
    return changed_batches(batched, CpuAugmentation(policy, dataset.labels, recipe.seed).augmented)


def _validation(dataset: ImageDataset, batch_size: int) -> Any:
    if not dataset.examples.get(features.VALIDATION):
        return None
    return batches(dataset, features.VALIDATION, batch_size).map(_with_targets)


def _with_targets(pixels: Any, targets: Any) -> tuple[dict[str, Any], Any]:
    return {"pixels": pixels, "targets": targets}, targets


def _optimizer(config: TrainerConfig, steps_per_epoch: int) -> Any:
    """Return AdamW under a linear warm-up and a cosine to zero."""
    warmup_steps = round(config.warmup_epochs * steps_per_epoch)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else config.learning_rate,
        decay_steps=max(1, config.epochs * steps_per_epoch - warmup_steps),
        warmup_target=config.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=WITHOUT_WEIGHT_DECAY)
    return optimizer


def _keep_the_best(config: TrainerConfig, monitor: str, best: Path) -> list[Any]:
    checkpoint = keras.callbacks.ModelCheckpoint(
        best, monitor=monitor, save_best_only=True, save_weights_only=True
    )
    stop_on_nan = keras.callbacks.TerminateOnNaN()
    if not config.early_stopping_patience:
        return [checkpoint, stop_on_nan]
    patience = config.early_stopping_patience
    return [checkpoint, stop_on_nan, keras.callbacks.EarlyStopping(monitor, patience=patience)]


def _require_finite(history: dict[str, list[float]], monitor: str) -> None:
    """Raise ComponentError where the training lost the numbers, or no epoch can be the best."""
    losses = history.get("loss", [])
    bad = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), None)
    if bad is not None:
        trouble = f"the loss became NaN or infinite in epoch {bad + 1}"
    elif not any(math.isfinite(loss) for loss in history.get(monitor, [])):
        trouble = f"{monitor} was NaN or infinite in every epoch"
    else:
        return
    raise ComponentError(
        f"Trainer: {trouble}. Try a tenth of trainer.learning_rate, or trainer.precision: float32."
    )


def _best_epoch(losses: list[float]) -> int:
    finite = [epoch for epoch, loss in enumerate(losses) if math.isfinite(loss)]
    return min(finite, key=losses.__getitem__)
