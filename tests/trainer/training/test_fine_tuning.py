"""With fine-tuning the head learns alone first, then all layers or the later ones."""

import keras
import numpy as np
import pytest

from contracts.system.errors import ConfigError
from tests.trainer.training.test_resume import InterruptAt, Interrupted
from tests.trainer.training.test_train import recipe
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train

pytestmark = pytest.mark.usefixtures("two_steps_at_once")

TWO_PHASES = {
    "epochs": 4,
    "model_options": {"filters": [8, 8], "dropout": 0.0},
    "fine_tuning": {"frozen_epochs": 2, "learning_rate": 0.001},
    "checkpoint_every_s": 1e-9,
}


class Watch(keras.callbacks.Callback):
    """Keeps the weights of some layers as they are after each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = {}

    def on_epoch_begin(self, epoch, logs=None):
        if not self.seen:
            self._look(-1)

    def on_epoch_end(self, epoch, logs=None):
        self._look(epoch)

    def _look(self, epoch):
        for name in ("stage_0_conv", "stage_0_norm", "stage_1_conv", "probabilities"):
            weights = self.model.network.get_layer(name).get_weights()
            self.seen[epoch, name] = np.concatenate([one.ravel() for one in weights])

    def moved(self, name: str, first: int, last: int) -> bool:
        return not np.array_equal(self.seen[first, name], self.seen[last, name])


def test_the_head_learns_alone_first_and_then_everything(dataset):
    watch = Watch()
    trained = train(recipe(**TWO_PHASES), dataset, [watch])
    assert trained.steps == 24
    assert [watch.moved(name, -1, 1) for name in ("stage_0_conv", "probabilities")] == [False, True]
    assert not watch.moved("stage_0_norm", -1, 1)  # nor do moving averages
    assert watch.moved("stage_0_conv", 1, 3)
    assert watch.moved("stage_0_norm", 1, 3)
    rates = trained.history["learning_rate"]  # each phase has a schedule of its own
    assert rates[1] == pytest.approx(0, abs=1e-6)
    assert 0 < rates[2] < 0.001


def test_layers_before_the_one_that_is_named_stay_as_they_are(dataset):
    watch = Watch()
    tuning = {"frozen_epochs": 1, "trainable_from": "stage_1"}
    train(recipe(**{**TWO_PHASES, "fine_tuning": tuning}), dataset, [watch])
    assert not watch.moved("stage_0_conv", -1, 3)
    assert watch.moved("stage_1_conv", 0, 3)


def test_a_layer_that_is_not_there_is_a_sentence_with_the_names(dataset):
    with pytest.raises(ConfigError, match=r"trainable_from: .*received 'stage_7'.*stage_1"):
        train(recipe(**{**TWO_PHASES, "fine_tuning": {"trainable_from": "stage_7"}}), dataset)


@pytest.mark.parametrize("step", [8, 14, 20])
def test_it_goes_on_in_the_phase_that_was_interrupted(dataset, tmp_path, step):
    recipe_ = recipe(**{**TWO_PHASES, "ema_momentum": 0.5})
    whole = train(recipe_, dataset)
    with pytest.raises(Interrupted):
        train(recipe_, dataset, [InterruptAt(step)], Checkpoint(tmp_path))
    resumed = train(recipe_, dataset, (), Checkpoint(tmp_path))
    assert resumed.steps == whole.steps
    for one, other in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_patience_counts_from_the_second_phase_on(dataset):
    tuning = {"frozen_epochs": 4, "learning_rate": 1e-9}
    section = {**TWO_PHASES, "epochs": 8, "fine_tuning": tuning, "early_stopping_patience": 2}
    trained = train(recipe(**{**section, "learning_rate": 1e-9}), dataset)
    assert len(trained.history["loss"]) >= 6  # the head gets no better, and the rest has its chance
