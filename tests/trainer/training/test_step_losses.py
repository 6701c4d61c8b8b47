"""The loss of each step: where it is no number any more, and what trackers are told of it."""

from dataclasses import replace

import pytest

from contracts.artifacts.image_dataset import ImageDataset
from contracts.system.errors import ComponentError
from tests.trainer.processes import JAX, started
from tests.trainer.training.test_resume import InterruptAt, Interrupted
from tests.trainer.training.test_train import recipe
from trainer.tracking import Point, metrics
from trainer.tracking.metrics import ReportMetrics
from trainer.training import construction
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train

# A network that gives NaN in the eleventh step, and a loss of 1, 2, 3, ...
MINE = """\
import keras

class NanAt(keras.layers.Layer):
    def build(self, shape):
        self.calls = self.add_weight((), initializer="zeros", trainable=False)

    def call(self, inputs, training=False):
        if training:
            self.calls.assign_add(1)
        return inputs * keras.ops.where(self.calls == 11, float("nan"), 1.0)

def build(size_px, classes):
    inputs = keras.Input((size_px, size_px, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    answers = keras.layers.Dense(classes, activation="softmax")(NanAt()(pooled))
    return keras.Model(inputs, answers)

class Counts(keras.losses.Loss):
    def __init__(self):
        super().__init__()
        self.step = keras.Variable(0.0)

    def call(self, y_true, y_pred):
        return 0.0 * keras.ops.sum(y_pred, -1) + self.step.assign_add(1.0)

class Top(keras.metrics.TopKCategoricalAccuracy):
    def __init__(self):
        super().__init__(k=2, name="top_two")
"""


@pytest.fixture
def mine(tmp_path) -> str:
    (tmp_path / "mine.py").write_text(MINE)
    return f"{tmp_path}/mine.py"


def breaks_in_the_eleventh_step(mine: str, **trainer):
    """Epochs of 6 steps, so that an execution of up to 8 goes past that one."""
    return recipe(model=f"{mine}:build", model_options={}, epochs=3, **trainer)


@pytest.mark.parametrize("executed", [1, 8])
def test_the_first_step_whose_loss_is_no_number_is_named(dataset, mine, executed, monkeypatch):
    monkeypatch.setattr(construction, "STEPS_PER_EXECUTION", executed)
    with pytest.raises(ComponentError, match=r"at step 11 of 18 \(epoch 2\)"):
        train(breaks_in_the_eleventh_step(mine), dataset)


@pytest.mark.usefixtures("two_steps_at_once")
def test_it_is_named_after_an_interruption_too(dataset, mine, tmp_path):
    broken = breaks_in_the_eleventh_step(mine, checkpoint_every_s=1e-9)
    with pytest.raises(Interrupted):
        train(broken, dataset, [InterruptAt(10)], Checkpoint(tmp_path / "state"))
    with pytest.raises(ComponentError, match="at step 11 of 18"):
        train(broken, dataset, (), Checkpoint(tmp_path / "state"))


def test_it_is_named_under_jax(dataset, mine, tmp_path):
    pytest.importorskip("jax")
    (tmp_path / "pipeline.yaml").write_text(
        "name: x\nseed: 1\ndata: {root: nowhere}\npreprocessing: {image_size_px: 16}\n"
        f"trainer: {{model: '{mine}:build', epochs: 3, batch_size: 16}}\n"
    )
    options = ["--config", tmp_path / "pipeline.yaml", "--output", tmp_path / "out"]
    process = started(*options, "--examples", dataset.uri, **JAX)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 1, err[-3000:]
    assert "at step 11 of 18 (epoch 2)" in err


def without_validation(dataset: ImageDataset) -> ImageDataset:
    return replace(dataset, label_counts={**dataset.label_counts, "validation": (0, 0)})


def logged_steps(points: list[Point], name: str = "loss") -> dict[int, float]:
    return {one.number: one.metrics[name] for one in points if one.scale == "step"}


@pytest.mark.usefixtures("two_steps_at_once")
def test_trackers_log_the_loss_of_the_steps_since_the_last_ones(dataset, mine, monkeypatch):
    counting = recipe(epochs=2, loss=f"{mine}:Counts", metrics=[f"{mine}:Top"])
    points: list[Point] = []
    train(counting, without_validation(dataset), [ReportMetrics(points.append)])
    every_second = {2: 1.5, 4: 3.5, 6: 5.5, 8: 7.5, 10: 9.5, 12: 11.5}
    assert logged_steps(points) == pytest.approx(every_second)
    assert [one.metrics["loss"] for one in points if one.scale == "epoch"] == [3.5, 9.5]
    assert logged_steps(points, "top_two_so_far")[2] == 1.0
    assert {"top_two", "accuracy", "learning_rate"} <= points[-1].metrics.keys()

    monkeypatch.setattr(metrics, "POINTS_OF_STEPS", 3)
    points.clear()
    train(counting, without_validation(dataset), [ReportMetrics(points.append)])
    assert logged_steps(points) == pytest.approx({2: 1.5, 6: 4.5, 10: 8.5})


@pytest.mark.usefixtures("two_steps_at_once")
def test_trackers_log_the_loss_of_the_steps_after_an_interruption(dataset, mine, tmp_path):
    counting = recipe(epochs=1, loss=f"{mine}:Counts", checkpoint_every_s=1e-9)
    with pytest.raises(Interrupted):
        train(counting, without_validation(dataset), [InterruptAt(4)], Checkpoint(tmp_path / "s"))
    points: list[Point] = []
    train(
        counting,
        without_validation(dataset),
        [ReportMetrics(points.append)],
        Checkpoint(tmp_path / "s"),
    )
    # The loss is made anew: it counts from 1 again.
    assert logged_steps(points) == pytest.approx({6: 1.5})
    assert points[-1].metrics["loss"] == pytest.approx((1 + 2 + 3 + 4 + 1 + 2) / 6)
