"""A tracker that fails loses what it was given; the training goes on."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from contracts.system.errors import ComponentError
from trainer.tracking import Point, TrackedTraining, Tracking, delivery, metrics
from trainer.tracking.tracker import LoggedPoints
from trainer.training.train import train


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(delivery, "SECONDS_BETWEEN_ATTEMPTS", 0.02)
    monkeypatch.setattr(delivery, "SECONDS_BETWEEN_LAST_ATTEMPTS", 0.02)
    monkeypatch.setattr(delivery, "END_WITHIN_S", 2.0)


class Server:
    """A tracker that can be away, hang, or refuse to begin."""

    name = "Server"
    run_id = "7"
    logged = LoggedPoints()

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}
        self.is_away = False
        self.refuses = False
        self.hangs = threading.Event()
        self.hangs.set()
        self.points: list[Point] = []
        self.pictures: list[str] = []
        self.ended: list[bool] = []

    def begin(self, training: TrackedTraining) -> str:
        if self.refuses:
            raise ComponentError("tracking.server: no.")
        return f"run {training.name}"

    def used(self, parameters: dict[str, str]) -> None:
        if self.is_away:
            raise ConnectionError("connection refused")
        self.parameters |= parameters

    def log(self, points: Sequence[Point]) -> None:
        self.hangs.wait()
        if self.is_away:
            raise ConnectionError("connection refused")
        self.points += points

    def picture(self, name: str, path: Path) -> None:
        if name == "refused":
            raise ValueError("too large")
        self.pictures.append(name)

    def artifact(self, path: Path) -> None:
        self.pictures.append(path.name)

    def end(self, *, is_finished: bool) -> None:
        if self.is_away:
            raise ConnectionError("connection refused")
        self.ended.append(is_finished)


@pytest.fixture
def training(dataset, tmp_path) -> TrackedTraining:
    recipe = TrainingRecipe(
        trainer=TrainerConfig(
            model_options={"filters": [2]}, epochs=2, batch_size=32, learning_rate=0.01
        ),
        augmentation=AugmentationConfig(preset="none"),
        seed=1,
    )
    return TrackedTraining("a-run", recipe, dataset, tmp_path)


def point(number: int) -> Point:
    return Point("epoch", number, {"loss": 1.0 / number}, 0)


def test_everything_arrives_in_order(training):
    server = Server()
    with Tracking([server], training) as tracking:
        for number in range(1, 6):
            tracking.log(point(number))
        tracking.picture("curves", Path("curves.png"))
        tracking.artifact(Path("card.md"))
    assert [one.number for one in server.points] == [1, 2, 3, 4, 5]
    assert server.pictures == ["curves", "card.md"]
    assert server.ended == [True]
    (tracked,) = tracking.tracked
    assert (tracked.tracker, tracked.place, tracked.run_id) == ("Server", "run a-run", "7")
    assert tracked.trouble == ""


def test_a_server_that_comes_back_has_missed_nothing(training):
    server = Server()
    with Tracking([server], training) as tracking:
        server.is_away = True
        tracking.log(point(1))
        tracking.log(point(2))
        time.sleep(0.1)
        server.is_away = False
        tracking.log(point(3))
    assert [one.number for one in server.points] == [1, 2, 3]
    assert tracking.tracked[0].trouble == ""


def test_a_server_that_stays_away_costs_no_training(training, caplog):
    server, other = Server(), Server()
    with Tracking([server, other], training) as tracking:
        server.is_away = True
        trained = train(training.recipe, training.dataset, callbacks=[tracking.callback()])
    assert len(trained.history["loss"]) == 2
    lost, whole = tracking.tracked
    messages = len(other.points) + 2  # what was used, and the end
    cause = "(ConnectionError: connection refused)"
    assert lost.trouble == f"{messages} of {messages} messages were not delivered {cause}"
    assert lost.trouble in caplog.text
    assert whole.trouble == ""
    assert [one.number for one in other.points if one.scale == "epoch"] == [1, 2]


def test_what_is_refused_is_lost_alone(training):
    server = Server()
    with Tracking([server], training) as tracking:
        tracking.picture("refused", Path("big.png"))
        tracking.picture("curves", Path("curves.png"))
    assert server.pictures == ["curves"]
    assert server.ended == [True]
    assert (
        tracking.tracked[0].trouble == "1 of 3 messages were not delivered (ValueError: too large)"
    )


def test_a_server_that_hangs_is_not_waited_for(training, monkeypatch):
    monkeypatch.setattr(delivery, "END_WITHIN_S", 0.2)
    server = Server()
    server.hangs.clear()
    began_s = time.monotonic()
    with Tracking([server], training) as tracking:
        tracking.log(point(1))
    assert time.monotonic() - began_s < 2
    assert tracking.tracked[0].trouble == "2 of 2 messages were not delivered (no answer)"
    server.hangs.set()


def test_one_that_cannot_begin_is_an_error_and_the_others_end_as_failed(training):
    first, second = Server(), Server()
    second.refuses = True
    refused = pytest.raises(ComponentError, match=r"tracking\.server: no\.")
    with refused, Tracking([first, second], training):
        pytest.fail("nothing may be trained")
    assert first.ended == [False]


def test_a_training_that_fails_ends_as_failed(training):
    server = Server()
    with pytest.raises(ComponentError), Tracking([server], training):
        raise ComponentError("NaN")
    assert server.ended == [False]


def test_the_learning_rate_of_every_epoch_is_in_the_history(training):
    with Tracking([], training) as tracking:
        trained = train(training.recipe, training.dataset, callbacks=[tracking.callback()])
    rates = trained.history["learning_rate"]
    assert rates[1] < rates[0] <= training.recipe.trainer.learning_rate


def test_what_the_training_has_chosen_is_logged(training):
    automatic = training.recipe.trainer.model_copy(update={"learning_rate": "auto"})
    recipe = training.recipe.model_copy(update={"trainer": automatic})
    server = Server()
    with Tracking([server], training) as tracking:
        trained = train(recipe, training.dataset, callbacks=[tracking.callback()])
    assert server.parameters == {
        "batch_size": "32",
        "learning_rate": repr(trained.learning_rate),
        "devices": trained.devices,
        "precision": "float32",
    }


def test_an_epoch_from_before_an_interruption_is_logged_where_it_is_missing(training):
    first, second = Server(), Server()
    first.logged = LoggedPoints(frozenset({1}), step=3)
    epochs = [Point("epoch", number, {"loss": 4.0 - number}, number) for number in (1, 2)]
    goes_on = replace(training, epochs=epochs)
    with Tracking([first, second], goes_on) as tracking:
        tracking.log(Point("step", 3, {"loss": 3.0}, 0))
        tracking.log(Point("step", 4, {"loss": 2.0}, 0))
    logged = [[(one.scale, one.number) for one in server.points] for server in (first, second)]
    steps = [("step", 3), ("step", 4)]
    assert logged == [[("epoch", 2), steps[1]], [("epoch", 1), ("epoch", 2), *steps]]
    assert first.points[0].metrics == {"loss": 2.0}


def test_steps_are_logged_evenly_and_no_more_than_some(training, monkeypatch):
    monkeypatch.setattr(metrics, "POINTS_OF_STEPS", 2)
    server = Server()
    with Tracking([server], training) as tracking:
        train(training.recipe, training.dataset, callbacks=[tracking.callback()])
    steps = [one for one in server.points if one.scale == "step"]
    assert [one.number for one in steps] == [3, 6]
    assert {"loss", "accuracy", "learning_rate"} <= set(steps[0].metrics)
