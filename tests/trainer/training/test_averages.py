"""With `ema_momentum` the average of the weights is evaluated, kept and given back."""

import keras
import numpy as np
import pytest

from tests.trainer.conftest import arrays
from tests.trainer.training.test_train import recipe
from trainer.training import construction
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train

MOMENTUM = 0.8
AVERAGED = {"epochs": 2, "ema_momentum": MOMENTUM}


class AverageByHand(keras.callbacks.Callback):
    """Averages the weights of every step, the first of which counts whole."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[np.ndarray] = []
        self.averages: list[np.ndarray] = []
        self.of_epochs: list[list[np.ndarray]] = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights = [np.array(one) for one in self.model.network.trainable_variables]
        before = self.averages or self.weights
        self.averages = [
            MOMENTUM * one + (1 - MOMENTUM) * weight
            for one, weight in zip(before, self.weights, strict=True)
        ]

    def on_epoch_end(self, epoch, logs=None):
        self.of_epochs.append(self.averages)


def assert_same(network: keras.Model, wanted: list[np.ndarray]) -> None:
    for one, other in zip(network.trainable_variables, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=one.path)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_what_is_evaluated_and_exported_is_the_average(
    dataset, tmp_path, precision, float32_afterwards, monkeypatch
):
    monkeypatch.setattr(construction, "STEPS_PER_EXECUTION", 1)  # a callback sees every step
    by_hand = AverageByHand()
    checkpoint = Checkpoint(tmp_path)
    averaged = recipe(**AVERAGED, precision=precision)
    trained = train(averaged, dataset, [by_hand], checkpoint)
    assert_same(trained.network, by_hand.of_epochs[trained.best_epoch])
    ((pixels, labels),) = arrays(dataset, "validation")
    loss = float(keras.losses.CategoricalCrossentropy()(labels, trained.network(pixels)))
    accurate = 1e-4 if precision == "float32" else 1e-2
    assert loss == pytest.approx(trained.history["val_loss"][trained.best_epoch], rel=accurate)

    checkpoint.copy_weights(tmp_path / "kept", trained.best_epoch)
    trained.network.load_weights(tmp_path / "kept" / "last.weights.h5")
    assert_same(trained.network, by_hand.weights)  # as they were trained
    trained.network.load_weights(tmp_path / "kept" / "best.weights.h5")
    assert_same(trained.network, by_hand.of_epochs[trained.best_epoch])
