"""Training on transformed images: imgpipe's, a bare `model.fit`, and imgpipe's without data.

Prints for one of them, as JSON, the microseconds an image and the part of them that waits for data.
The first epoch, which compiles, is left out.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.ops import gen_dataset_ops

import trainer.training.fitting
import trainer.training.train
from contracts.artifacts import features
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from trainer.batches.sampling import Position, Sampling
from trainer.batches.tensorflow_feed import evaluation_batches
from trainer.models import build_model
from trainer.optimisation.optimizers import build_optimizer
from trainer.training.construction import STEPS_PER_EXECUTION, learning_rate

EPOCHS = 3


class DataWait:
    """The time that a graph takes to fetch its batches: an upper limit of its waiting.

    If the graph fetches a batch during the previous step, part of the time is no waiting.
    """

    def __init__(self) -> None:
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)

    def timed(self, fetch: Callable[..., Any]) -> Callable[..., Any]:
        """Return TensorFlow's operation that fetches a batch, with its time measured."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            began_s = tf.timestamp()
            with tf.control_dependencies([began_s]):
                fetched = fetch(*args, **kwargs)
            with tf.control_dependencies([tf.nest.flatten(fetched)[0]]):
                self.seconds.assign_add(tf.timestamp() - began_s)
            return fetched

        return timed


class Pace(keras.callbacks.Callback):
    """Measures the training steps of every epoch but the first."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = DataWait()
        self._seconds = self._waited_s = 0.0
        self._began = self._ended = (0.0, 0.0)

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start the clocks."""
        self._began = self._now()

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Store the end of the last batch: a validation may follow."""
        self._ended = self._now()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Count the epoch."""
        if epoch:
            self._seconds += self._ended[0] - self._began[0]
            self._waited_s += self._ended[1] - self._began[1]

    def _now(self) -> tuple[float, float]:
        return time.monotonic(), float(self._waiting.seconds)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure the fetches of the graphs that are traced inside of the block."""
        names = ("iterator_get_next", "iterator_get_next_as_optional")
        with ExitStack() as stack:
            for name in names:
                timed = self._waiting.timed(getattr(gen_dataset_ops, name))
                stack.enter_context(mock.patch.object(gen_dataset_ops, name, timed))
            yield

    def found(self, images_an_epoch: int) -> dict[str, float]:
        """Return the figures of a finished training."""
        images = images_an_epoch * (EPOCHS - 1)
        return {"step": 1e6 * self._seconds / images, "waiting": 1e6 * self._waited_s / images}


def ours(recipe: TrainingRecipe, dataset: ImageDataset) -> dict[str, float]:
    """Return the figures of imgpipe's training."""
    pace = Pace()
    with pace.measured():
        trained = trainer.training.train.train(recipe, dataset, [pace])
    return pace.found(trained.steps // EPOCHS * trained.batch_size)


def without_data(recipe: TrainingRecipe, dataset: ImageDataset) -> dict[str, float]:
    """Return the same with the first batch repeated: no time is spent on data."""

    def first_batch_again(
        dataset: ImageDataset, sampling: Sampling, position: Position, steps: int, change: None
    ) -> tf.data.Dataset:
        batches = evaluation_batches(dataset, features.TRAIN, sampling.batch_size)
        repeated = batches.take(1).cache().repeat(steps)
        return repeated.apply(tf.data.experimental.assert_cardinality(steps))

    with mock.patch.object(trainer.training.fitting, "training_batches", first_batch_again):
        return ours(recipe, dataset)


def bare(recipe: TrainingRecipe, dataset: ImageDataset) -> dict[str, float]:
    """Return the figures of `model.fit` on tensors in memory."""
    config = recipe.trainer
    batches = list(evaluation_batches(dataset, features.TRAIN, 1024).as_numpy_iterator())
    pixels = np.concatenate([inputs["pixels"] for inputs, _ in batches]).astype(np.float32)
    targets = np.concatenate([targets for _, targets in batches])
    keras.utils.set_random_seed(recipe.seed)
    model = build_model(config, dataset.size_px, len(dataset.labels))
    # The benchmark's own recipe sets numbers, not `auto`.
    assert isinstance(config.batch_size, int) and isinstance(config.learning_rate, float)
    rate = learning_rate(config, config.learning_rate, EPOCHS, len(pixels) // config.batch_size)
    model.compile(
        build_optimizer(config, rate, model.trainable_variables),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=STEPS_PER_EXECUTION,
        jit_compile=False,
    )
    pace = Pace()
    options = {"batch_size": config.batch_size, "epochs": EPOCHS, "verbose": 0}
    with pace.measured():
        model.fit(pixels, targets, callbacks=[pace], **options)
    return pace.found(len(pixels))


CONTESTANTS = {"ours": ours, "without_data": without_data, "bare": bare}

if __name__ == "__main__":
    config = TrainerConfig.model_validate_json(sys.argv[3])
    recipe = TrainingRecipe(
        trainer=config.model_copy(update={"epochs": EPOCHS}),
        augmentation=AugmentationConfig(preset="none"),
        seed=0,
    )
    print(json.dumps(CONTESTANTS[sys.argv[1]](recipe, ImageDataset.read(sys.argv[2]))))
