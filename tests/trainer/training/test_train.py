"""Training really trains, keeps the best epoch, repeats, and says so when it cannot go on."""

import keras
import numpy as np
import pytest

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from contracts.system.errors import ComponentError
from tests.trainer.conftest import arrays
from trainer.training.train import train

SMALL = {"filters": [8, 8]}


def recipe(preset: str = "none", **trainer) -> TrainingRecipe:
    defaults = {"model_options": SMALL, "epochs": 6, "batch_size": 16, "learning_rate": 0.01}
    return TrainingRecipe(
        trainer=TrainerConfig(**(defaults | trainer)),
        augmentation=AugmentationConfig(preset=preset),
        seed=1,
    )


def accuracy(network, dataset: ImageDataset) -> float:
    hits = [
        np.argmax(network(pixels), 1) == np.argmax(labels, 1)
        for pixels, labels in arrays(dataset, "test")
    ]
    return float(np.concatenate(hits).mean())


def test_it_learns_and_gives_the_network_without_augmentation(dataset):
    trained = train(recipe("light"), dataset)
    assert accuracy(trained.network, dataset) > 0.9
    assert trained.network.name == "cnn"
    assert len(trained.history["loss"]) * 6 == trained.steps
    assert trained.history["val_loss"][trained.best_epoch] == min(trained.history["val_loss"])


def test_the_weights_are_those_of_the_best_epoch(dataset):
    class Spoil(keras.callbacks.Callback):
        """Ruins the weights after the third epoch."""

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                kernel = self.model.network.get_layer("probabilities").kernel
                kernel.assign(kernel * -50)

    trained = train(recipe(epochs=4, learning_rate=0.003), dataset, callbacks=[Spoil()])
    assert trained.best_epoch < 3
    losses = [
        float(keras.losses.CategoricalCrossentropy()(labels, trained.network(pixels)))
        for pixels, labels in arrays(dataset, "validation")
    ]
    assert np.mean(losses) == pytest.approx(min(trained.history["val_loss"]), rel=1e-3)


def test_an_epoch_has_the_steps_that_are_told_whatever_is_executed_together(dataset):
    class Count(keras.callbacks.Callback):
        steps = 0

        def on_train_end(self, logs=None):
            self.steps = int(self.model.optimizer.iterations)

    counted = Count()
    trained = train(recipe(epochs=2), dataset, [counted])
    assert counted.steps == trained.steps == 12  # not 16


def test_early_stopping_stops(dataset):
    trained = train(recipe(epochs=50, learning_rate=1e-9, early_stopping_patience=1), dataset)
    assert len(trained.history["loss"]) < 50


def test_the_same_seed_gives_the_same_weights(dataset):
    first = train(recipe("light", epochs=1), dataset).network.get_weights()
    second = train(recipe("light", epochs=1), dataset).network.get_weights()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loss_that_is_no_number_is_an_error_with_advice(dataset):
    with pytest.raises(
        ComponentError, match=r"NaN or infinite at step \d+ of 12 \(epoch 1\).*learning_rate"
    ):
        train(recipe(learning_rate=1e30, warmup_epochs=0.0, epochs=2), dataset)


class _SpoilValidation(keras.callbacks.Callback):
    """Makes the validation loss NaN in some epochs; training goes on unharmed."""

    def __init__(self, epochs: set[int]) -> None:
        super().__init__()
        self._epochs = epochs
        self._kernel = self._sound = None

    def on_epoch_begin(self, epoch, logs=None):
        self._spoils = epoch in self._epochs

    def on_test_begin(self, logs=None):
        self._kernel = self.model.network.get_layer("probabilities").kernel
        self._sound = self._kernel.numpy()
        if self._spoils:
            self._kernel.assign(self._sound * np.nan)

    def on_test_end(self, logs=None):
        self._kernel.assign(self._sound)


def test_an_epoch_whose_validation_loss_is_no_number_is_never_the_best(dataset):
    trained = train(recipe(epochs=3), dataset, callbacks=[_SpoilValidation({0})])
    assert np.isnan(trained.history["val_loss"][0])
    assert trained.best_epoch > 0
    assert all(np.isfinite(weights).all() for weights in trained.network.get_weights())


def test_a_validation_loss_that_never_is_a_number_is_an_error(dataset):
    with pytest.raises(ComponentError, match="val_loss was NaN or infinite in every epoch"):
        train(recipe(epochs=2), dataset, callbacks=[_SpoilValidation({0, 1})])


def test_a_split_without_images_is_an_error(dataset):
    empty = ImageDataset(dataset.uri, dataset.labels, dataset.preprocessing, {"train": (0, 0)})
    with pytest.raises(ComponentError, match="no training examples"):
        train(recipe(), empty)


def test_without_a_validation_split_the_training_loss_decides(dataset):
    counts = {**dataset.label_counts, "validation": (0, 0)}
    trained = train(
        recipe(epochs=2),
        ImageDataset(dataset.uri, dataset.labels, dataset.preprocessing, counts),
    )
    assert "val_loss" not in trained.history


def test_a_convnext_learns(dataset):
    options = {"depths": [1, 1], "widths": [8, 16], "drop_path_rate": 0.1}
    trained = train(recipe(model="convnext_atto", model_options=options, epochs=12), dataset)
    assert accuracy(trained.network, dataset) > 0.9
