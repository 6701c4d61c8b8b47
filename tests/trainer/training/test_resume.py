"""A training that was interrupted goes on to the very end that it would have had."""

import keras
import numpy as np
import pytest

from tests.trainer.training.test_train import recipe
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train

pytestmark = pytest.mark.usefixtures("two_steps_at_once")

# Everything that has a state of its own: random numbers of augmentation, dropout and stochastic
# depth, moving averages, momentum, batch norms.
EVERYTHING = {
    "preset": "light",
    "model_options": {"filters": [8, 8], "dropout": 0.3},
    "epochs": 3,
    "ema_momentum": 0.9,
    "gradient_accumulation_steps": 2,
    "checkpoint_every_s": 1e-9,
}


class Interrupted(Exception):
    """The power is gone."""


class InterruptAt(keras.callbacks.Callback):
    def __init__(self, step: int) -> None:
        super().__init__()
        self._left = step

    def on_train_batch_end(self, batch, logs=None):
        self._left -= 2
        if self._left <= 0:
            raise Interrupted


class CountSteps(keras.callbacks.Callback):
    steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 2


@pytest.fixture(scope="module")
def whole(dataset):
    return train(recipe(**EVERYTHING), dataset)


# Before the validation of an epoch has ended, its last steps are not yet saved.
@pytest.mark.parametrize(("step", "saved"), [(2, 2), (6, 4), (8, 8), (16, 16)])
def test_it_ends_with_the_same_weights_after_the_same_steps(dataset, whole, tmp_path, step, saved):
    checkpoint = Checkpoint(tmp_path)
    with pytest.raises(Interrupted):
        train(recipe(**EVERYTHING), dataset, [InterruptAt(step)], checkpoint)
    counted = CountSteps()
    resumed = train(recipe(**EVERYTHING), dataset, [counted], checkpoint)
    assert resumed.steps == whole.steps == 18
    assert counted.steps == 18 - saved
    for metric, values in whole.history.items():
        assert resumed.history[metric] == pytest.approx(values, rel=1e-6), metric
    for one, other in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_finished_training_is_not_trained_again(dataset, whole, tmp_path):
    train(recipe(**EVERYTHING), dataset, (), Checkpoint(tmp_path))
    counted = CountSteps()
    last = (tmp_path / "last.weights.h5").read_bytes()
    again = train(recipe(**EVERYTHING), dataset, [counted], Checkpoint(tmp_path))
    assert counted.steps == 0
    assert (tmp_path / "last.weights.h5").read_bytes() == last
    assert again.history == whole.history


def test_patience_counts_on(dataset, tmp_path):
    impatient = {**EVERYTHING, "epochs": 30, "learning_rate": 1e-9, "early_stopping_patience": 2}
    whole = train(recipe(**impatient), dataset)
    assert whole.steps < 30 * 6
    with pytest.raises(Interrupted):
        train(recipe(**impatient), dataset, [InterruptAt(whole.steps - 4)], Checkpoint(tmp_path))
    assert train(recipe(**impatient), dataset, (), Checkpoint(tmp_path)).steps == whole.steps


def test_best_and_last_weights_are_kept(dataset, tmp_path):
    checkpoint = Checkpoint(tmp_path / "state")
    trained = train(recipe(epochs=2), dataset, (), checkpoint)
    checkpoint.copy_weights(tmp_path / "kept", trained.best_epoch)
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {
        "best.weights.h5",
        "last.weights.h5",
    }
    weights = trained.network.get_weights()
    trained.network.load_weights(tmp_path / "kept" / "last.weights.h5")
    trained.network.load_weights(tmp_path / "kept" / "best.weights.h5")
    for one, other in zip(trained.network.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


class KilledBetween(Checkpoint):
    """Dies when the best weights of an epoch are written and the state that says so is not."""

    best_before = b""

    def save(self, progress, model):
        if progress.best_epoch == 2:
            raise Interrupted
        super().save(progress, model)
        if progress.best_epoch == 1:
            self.best_before = self.best(1).read_bytes()


def test_best_weights_that_no_state_knows_of_take_the_place_of_none(dataset, tmp_path):
    better = {**EVERYTHING, "learning_rate": 0.002}
    whole = train(recipe(**better), dataset)
    assert whole.best_epoch == 2
    checkpoint = KilledBetween(tmp_path)
    with pytest.raises(Interrupted):
        train(recipe(**better), dataset, (), checkpoint)
    assert Checkpoint(tmp_path).progress().best_epoch == 1
    assert Checkpoint(tmp_path).best(1).read_bytes() == checkpoint.best_before
    assert Checkpoint(tmp_path).best(2).exists()
    resumed = train(recipe(**better), dataset, (), Checkpoint(tmp_path))
    assert [path.name for path in tmp_path.glob("epoch-*")] == [checkpoint.best(2).name]
    for one, other in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_state_that_cannot_be_read_is_as_good_as_none(dataset, tmp_path):
    train(recipe(epochs=1), dataset, (), Checkpoint(tmp_path))
    Checkpoint(tmp_path).best(0).unlink()
    assert Checkpoint(tmp_path).progress() is None
    (tmp_path / "state.npz").write_bytes(b"")
    assert Checkpoint(tmp_path).progress() is None


def test_a_callback_may_stop_the_training(dataset):
    class Stop(keras.callbacks.Callback):
        began = 0

        def on_train_begin(self, logs=None):
            self.began += 1

        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    stop = Stop()
    assert len(train(recipe(epochs=6), dataset, [stop]).history["loss"]) == 2
    assert stop.began == 1
