"""Callbacks may set the learning rate where no schedule does; elsewhere a sentence says so."""

import pytest

from contracts.system.errors import ConfigError
from tests.trainer.training.test_resume import InterruptAt, Interrupted
from tests.trainer.training.test_train import recipe
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train

MINE = """\
import keras

class Halve(keras.callbacks.LearningRateScheduler):
    def __init__(self):
        super().__init__(lambda epoch, rate: rate * (0.5 if epoch else 1.0))

class Plateau(keras.callbacks.ReduceLROnPlateau):
    def __init__(self):
        super().__init__(min_delta=100.0, patience=1, factor=0.1)

class Later(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch:
            logs["later"] = 1.0

class Sets(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.125
"""
STAYS = {"schedule": "constant", "warmup_epochs": 0.0, "early_stopping_patience": 0}


@pytest.fixture
def mine(tmp_path) -> str:
    (tmp_path / "mine.py").write_text(MINE)
    return str(tmp_path / "mine.py")


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("Halve", [0.01, 0.005, 0.0025]),
        ("Plateau", [0.01, 0.01, 0.001]),
        ("Sets", [0.01, 0.125, 0.125]),
    ],
)
def test_they_set_the_rate_where_it_stays(dataset, mine, name, rates):
    trained = train(recipe(epochs=3, callbacks=[f"{mine}:{name}"], **STAYS), dataset)
    assert trained.history["learning_rate"] == pytest.approx(rates)


@pytest.mark.usefixtures("two_steps_at_once")
def test_a_rate_that_was_set_is_the_rate_after_a_kill(dataset, mine, tmp_path):
    three = recipe(epochs=3, callbacks=[f"{mine}:Sets"], **STAYS)
    checkpoint = Checkpoint(tmp_path / "state")
    with pytest.raises(Interrupted):
        train(three, dataset, [InterruptAt(8)], checkpoint)
    assert checkpoint.progress().epochs == 1
    resumed = train(three, dataset, (), checkpoint)
    assert resumed.history["learning_rate"] == pytest.approx([0.01, 0.125, 0.125])


@pytest.mark.usefixtures("two_steps_at_once")
def test_a_rate_that_was_set_for_an_epoch_is_not_set_again_after_a_kill_inside_it(
    dataset, mine, tmp_path
):
    often = STAYS | {"checkpoint_every_s": 1e-9}
    three = recipe(epochs=3, callbacks=[f"{mine}:Halve"], **often)
    checkpoint = Checkpoint(tmp_path / "state")
    with pytest.raises(Interrupted):
        train(three, dataset, [InterruptAt(9)], checkpoint)
    assert checkpoint.progress().step % 6
    resumed = train(three, dataset, (), checkpoint)
    assert resumed.history["learning_rate"] == pytest.approx([0.01, 0.005, 0.0025])


def test_one_that_is_named_twice_is_called_twice(dataset, mine):
    trained = train(recipe(epochs=2, callbacks=[f"{mine}:Halve"] * 2, **STAYS), dataset)
    assert trained.history["learning_rate"] == pytest.approx([0.01, 0.0025])


def test_a_metric_that_one_adds_in_some_epochs_alone_is_in_no_history(dataset, mine):
    trained = train(recipe(epochs=2, callbacks=[f"{mine}:Later"]), dataset)
    assert "later" not in trained.history
    assert {len(values) for values in trained.history.values()} == {2}


@pytest.mark.parametrize("name", ["Plateau", "Halve"])
def test_beside_a_schedule_the_known_ones_are_refused_before_training(dataset, mine, name):
    with pytest.raises(ConfigError) as raised:
        train(recipe(callbacks=[f"{mine}:{name}"]), dataset)
    (sentence,) = raised.value.problems
    assert sentence == (
        "trainer.callbacks: expected none that sets the learning rate, which trainer.schedule: "
        f"cosine with its warm-up does, received {mine}:{name}. Set trainer.schedule: constant and "
        "trainer.warmup_epochs: 0, or take it out."
    )


def test_beside_a_schedule_another_one_is_a_sentence_when_it_sets_the_rate(dataset, mine):
    with pytest.raises(ConfigError, match=r"trainer\.callbacks: .*mine\.py:Sets\. Set"):
        train(recipe(callbacks=[f"{mine}:Sets"], schedule="constant"), dataset)
