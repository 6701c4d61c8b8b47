"""Training on a run's transformed images: ours, a bare `model.fit`, and ours without any data work.

Prints the images a second of one of them; the first epoch, which compiles, is left out.
"""

import sys
import time
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import trainer.train
from contracts import features
from contracts.augmentation import AugmentationConfig
from contracts.training import TrainerConfig, TrainingRecipe
from trainer.batches import evaluation_batches
from trainer.batches.sampling import Position, Sampling
from trainer.construction import learning_rate
from trainer.data import ImageDataset
from trainer.models import build_model
from trainer.optimisation.optimizers import build_optimizer

EPOCHS = 3


class Pace(keras.callbacks.Callback):
    """Takes the time of the training steps of every epoch but the first."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = self._began_s = self._ended_s = 0.0

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start the clock."""
        self._began_s = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Note when the last batch ended."""
        self._ended_s = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Count the epoch."""
        if epoch:
            self.seconds += self._ended_s - self._began_s

    def images_a_second(self, images_an_epoch: int) -> float:
        """Return the pace of a training that has ended."""
        return images_an_epoch * (EPOCHS - 1) / self.seconds


def ours(recipe: TrainingRecipe, dataset: ImageDataset) -> float:
    """Return the images a second of the product's own training."""
    pace = Pace()
    trained = trainer.train.train(recipe, dataset, [pace])
    return pace.images_a_second(trained.steps // EPOCHS * trained.batch_size)


def without_data(recipe: TrainingRecipe, dataset: ImageDataset) -> float:
    """Return the same where every batch is the first one: what is left is not the data's."""

    def first_batch_again(
        dataset: ImageDataset, sampling: Sampling, position: Position, steps: int, change: None
    ) -> tf.data.Dataset:
        batches = evaluation_batches(dataset, features.TRAIN, sampling.batch_size)
        repeated = batches.take(1).cache().repeat(steps)
        return repeated.apply(tf.data.experimental.assert_cardinality(steps))

    with mock.patch.object(trainer.train, "training_batches", first_batch_again):
        return ours(recipe, dataset)


def bare(recipe: TrainingRecipe, dataset: ImageDataset) -> float:
    """Return the images a second of `model.fit` on tensors that lie in memory."""
    config = recipe.trainer
    batches = list(evaluation_batches(dataset, features.TRAIN, 1024).as_numpy_iterator())
    pixels = np.concatenate([inputs["pixels"] for inputs, _ in batches]).astype(np.float32)
    targets = np.concatenate([targets for _, targets in batches])
    keras.utils.set_random_seed(recipe.seed)
    model = build_model(config, dataset.size_px, len(dataset.labels))
    rate = learning_rate(config, config.learning_rate, EPOCHS, len(pixels) // config.batch_size)
    model.compile(
        build_optimizer(config, rate, model.trainable_variables),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=config.steps_per_execution,
        jit_compile=False,
    )
    pace = Pace()
    model.fit(
        pixels, targets, batch_size=config.batch_size, epochs=EPOCHS, callbacks=[pace], verbose=0
    )
    return pace.images_a_second(len(pixels))


CONTESTANTS = {"ours": ours, "without_data": without_data, "bare": bare}

if __name__ == "__main__":
    config = TrainerConfig.model_validate_json(sys.argv[3])
    print(
        CONTESTANTS[sys.argv[1]](
            TrainingRecipe(
                trainer=config.model_copy(update={"epochs": EPOCHS}),
                augmentation=AugmentationConfig(preset="none"),
                seed=0,
            ),
            ImageDataset.read(sys.argv[2]),
        )
    )
