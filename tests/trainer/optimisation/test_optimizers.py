"""What pulls on the weights: decay on kernels alone, clipping, and code of the user's own."""

import keras
import numpy as np
import pytest

from contracts.config.trainer.config import TrainerConfig
from contracts.system.errors import ConfigError
from tests.trainer.conftest import write_dataset
from tests.trainer.training.test_train import recipe
from trainer.models import build_model
from trainer.optimisation.losses import build_loss, class_weights
from trainer.optimisation.optimizers import build_optimizer
from trainer.optimisation.schedules import LearningRate
from trainer.training.train import train

MINE = """\
import keras

class Loss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.sum((y_true - y_pred) ** 2, axis=-1)

class Top(keras.metrics.TopKCategoricalAccuracy):
    def __init__(self):
        super().__init__(k=2, name="top_two")

class Note(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        open({note!r}, "a").write("x")

class Nothing:
    pass

def build(size_px, classes):
    # A network whose images know nothing of one another.
    return keras.Sequential([
        keras.Input((size_px, size_px, 3)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(classes, activation="softmax"),
    ])
"""


@pytest.mark.parametrize("name", ["adamw", "sgd", "lion"])
def test_weight_decay_pulls_on_kernels_alone(name):
    config = TrainerConfig(optimizer=name, weight_decay=0.5, model_options={"filters": [4]})
    network = build_model(config, 8, 2)
    rate = LearningRate("constant", 0.1, 10, 0)
    optimizer = build_optimizer(config, rate, network.trainable_variables)
    before = [np.array(one) for one in network.trainable_variables]
    for weight in network.trainable_variables:
        weight.assign(np.ones(weight.shape))
    zeros = [keras.ops.zeros(one.shape) for one in before]
    optimizer.apply(zeros, network.trainable_variables)
    for weight in network.trainable_variables:
        decayed = float(np.mean(weight)) < 0.99
        assert decayed == (len(weight.shape) > 1), weight.path


def test_biases_of_attention_and_slopes_are_kept_from_weight_decay():
    pixels = keras.Input((4, 4, 3))
    sloped = keras.layers.PReLU()(pixels)
    tokens = keras.layers.Reshape((16, 3))(sloped)
    attended = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)(tokens, tokens)
    network = keras.Model(pixels, keras.layers.GlobalAveragePooling1D()(attended))
    config = TrainerConfig(weight_decay=0.5)
    rate = LearningRate("constant", 0.1, 10, 0)
    weights = network.trainable_variables
    optimizer = build_optimizer(config, rate, weights)
    for weight in weights:
        weight.assign(np.ones(weight.shape))
    optimizer.apply([keras.ops.zeros(one.shape) for one in weights], weights)
    decayed = {one.name for one in weights if float(np.mean(one)) < 0.99}
    free = {one.name for one in weights if float(np.mean(one)) == 1.0}
    assert (decayed, free) == ({"kernel"}, {"bias", "alpha"})
    assert max(len(one.shape) for one in weights if one.name == "bias") == 2


def stepped(gradient: np.ndarray, **trainer) -> np.ndarray:
    """Return how far one step without weight decay moves two weights."""
    config = TrainerConfig(optimizer="sgd", weight_decay=0.0, **trainer)
    weights = [keras.Variable(np.zeros(2)), keras.Variable(np.zeros(1))]
    optimizer = build_optimizer(config, 0.1, weights)
    optimizer.apply([keras.ops.array(gradient[:2]), keras.ops.array(gradient[2:])], weights)
    return np.concatenate([np.array(one) for one in weights])


def test_a_long_gradient_takes_the_step_of_the_longest_that_is_allowed():
    huge = np.array([3e6, 0.0, 4e6])
    clipped = stepped(huge, gradient_clip_norm=1.5)
    np.testing.assert_allclose(clipped, stepped(1.5 * huge / 5e6), rtol=1e-5)
    assert np.linalg.norm(stepped(huge)) > 1e5 * np.linalg.norm(clipped)
    short = np.array([0.1, -0.2, 0.3])
    np.testing.assert_allclose(stepped(short, gradient_clip_norm=1.5), stepped(short), rtol=1e-6)


def test_four_accumulated_steps_are_one_of_the_four_batches(tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(note=""))
    few = write_dataset(tmp_path / "few", {"train": (16, 16), "validation": (4, 4), "test": (0, 0)})
    plain = {
        "model": f"{tmp_path}/mine.py:build",
        "model_options": {},
        "epochs": 1,
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "schedule": "constant",
        "warmup_epochs": 0.0,
    }
    taken = {
        (size, accumulated): train(
            recipe(**plain, batch_size=size, gradient_accumulation_steps=accumulated), few
        )
        for size, accumulated in ((32, 1), (8, 4), (8, 1))
    }
    assert {key: one.steps for key, one in taken.items()} == {(32, 1): 1, (8, 4): 4, (8, 1): 4}
    whole, four, each = (one.network.get_weights() for one in taken.values())
    for one, other in zip(four, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert max(np.abs(one - other).max() for one, other in zip(each, whole, strict=True)) > 1e-3


@pytest.mark.parametrize(
    ("loss", "of_keras"),
    [
        ("cross_entropy", keras.losses.CategoricalCrossentropy()),
        ("focal", keras.losses.CategoricalFocalCrossentropy(alpha=1.0)),
    ],
)
def test_label_smoothing_spreads_a_part_of_the_target_over_all_classes(loss, of_keras):
    truth = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    found = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]])
    smoothed = build_loss(TrainerConfig(loss=loss, label_smoothing=0.3))(truth, found)
    assert float(smoothed) == pytest.approx(float(of_keras(0.7 * truth + 0.1, found)), rel=1e-5)


def test_the_focal_loss_turns_to_the_hard_images():
    truth = np.array([[1.0, 0.0]])
    easy, hard = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])
    focal, plain = build_loss(TrainerConfig(loss="focal")), build_loss(TrainerConfig())
    ratios = [float(focal(truth, one) / plain(truth, one)) for one in (easy, hard)]
    assert ratios == pytest.approx([0.1**2, 0.8**2], rel=1e-3)


def test_balanced_weights_make_every_class_count_as_much():
    config = TrainerConfig(class_weights="balanced")
    weights = class_weights(config, ["a", "b", "c"], [10, 30, 0])
    assert weights.tolist() == pytest.approx([2.0, 2 / 3, 0.0])
    given = TrainerConfig(class_weights={"b": 3.0})
    assert class_weights(given, ["a", "b"], [1, 1]).tolist() == [1.0, 3.0]
    assert class_weights(TrainerConfig(), ["a"], [1]) is None
    with pytest.raises(ConfigError, match="received 'cat'; did you mean `cats`"):
        class_weights(TrainerConfig(class_weights={"cat": 1.0}), ["cats", "dogs"], [1, 1])


def test_a_heavier_class_is_chosen_more_often(dataset):
    found = []
    for weights in ({"vertical": 50.0}, {"horizontal": 50.0}):
        trained = train(recipe(epochs=1, learning_rate=0.03, class_weights=weights), dataset)
        noise = np.full((8, 16, 16, 3), 90.0, np.float32)
        found.append(float(np.mean(trained.network(noise)[:, 1])))
    assert found[0] > found[1]


def test_losses_metrics_and_callbacks_of_the_users_own_are_called(dataset, tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(note=str(tmp_path / "note")))
    mine = f"{tmp_path}/mine.py"
    trained = train(
        recipe(epochs=2, loss=f"{mine}:Loss", metrics=[f"{mine}:Top"], callbacks=[f"{mine}:Note"]),
        dataset,
    )
    assert trained.history["top_two"] == [1.0, 1.0]
    assert trained.history["loss"][0] <= 2.0
    assert (tmp_path / "note").read_text() == "xx"
    with pytest.raises(ConfigError, match=r"trainer\.loss: .*derived from Keras's Loss"):
        train(recipe(loss=f"{mine}:Nothing"), dataset)


def test_class_weights_count_in_training_alone(dataset):
    histories = [
        train(recipe(epochs=1, learning_rate=1e-9, class_weights=weights), dataset).history
        for weights in ("none", {"vertical": 9.0})
    ]
    assert histories[1]["loss"][0] > 2 * histories[0]["loss"][0]
    assert histories[1]["val_loss"] == pytest.approx(histories[0]["val_loss"], rel=1e-4)
