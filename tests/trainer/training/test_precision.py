"""Number formats and XLA: what `auto` comes to, and that a training runs with each."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.training.test_resume import EVERYTHING, InterruptAt, Interrupted
from tests.trainer.training.test_train import accuracy, recipe
from trainer.hardware.devices import Devices, compiles, precision_policy
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train

CPU, GPU = Devices("cpu", ("CPU:0",)), Devices("gpu", ("GPU:0",))
TWO_GPUS = Devices("mirrored", ("GPU:0", "GPU:1"))


class Look(keras.callbacks.Callback):
    """Keeps what the model is compiled with and what a layer computes in."""

    def on_train_begin(self, logs=None):
        self.optimizer = self.model.optimizer
        self.jit_compile = self.model.jit_compile
        self.policy = self.model.network.get_layer("stage_0_conv").dtype_policy


@pytest.fixture
def a_gpu(monkeypatch):
    """Return `a_gpu(capability)`: lets there be one of that compute capability."""

    def there_is(capability: tuple[int, int] | None) -> None:
        details = {"compute_capability": capability} if capability else {}
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)

    return there_is


@pytest.mark.parametrize(
    ("capability", "policy"),
    [
        ((9, 0), "mixed_bfloat16"),
        ((8, 0), "mixed_bfloat16"),
        ((7, 5), "mixed_float16"),
        (None, "mixed_float16"),
    ],
)
def test_auto_is_the_format_that_a_gpu_is_fast_at(a_gpu, capability, policy):
    a_gpu(capability)
    assert precision_policy("auto") == policy
    assert precision_policy("auto", "gpu") == policy
    assert precision_policy("auto", "cpu") == "float32"
    assert precision_policy("float32", "gpu") == "float32"


def test_without_a_gpu_auto_is_float32_and_a_format_that_is_named_is_taken(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert precision_policy("auto") == "float32"
    assert precision_policy("mixed_float16", "cpu") == "mixed_float16"


def test_xla_is_auto_on_one_gpu_alone_and_as_told_everywhere(a_gpu, monkeypatch):
    a_gpu((8, 0))
    assert [compiles("auto", one) for one in (CPU, GPU, TWO_GPUS)] == [False, "auto", False]
    assert [compiles(told, TWO_GPUS) for told in (True, False)] == [True, False]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert compiles("auto", GPU) is False
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")  # which is nothing without XLA
    assert compiles("auto", CPU) == "auto"


def test_it_trains_under_xla_as_without(dataset):
    # XLA draws other random numbers.
    certain = {"epochs": 1, "model_options": {"filters": [8, 8], "dropout": 0.0}}
    looks = {told: Look() for told in (True, False)}
    trained = {
        told: train(recipe(jit_compile=told, **certain), dataset, [look])
        for told, look in looks.items()
    }
    assert {told: look.jit_compile for told, look in looks.items()} == {True: True, False: False}
    losses = {told: one.history["loss"] for told, one in trained.items()}
    assert losses[True] == pytest.approx(losses[False], rel=1e-3)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_it_learns_in_mixed_precision_and_the_weights_are_float32(
    dataset, precision, float32_afterwards
):
    look = Look()
    trained = train(recipe(precision=precision), dataset, [look])
    assert trained.precision == precision
    assert look.policy.compute_dtype == precision.removeprefix("mixed_")
    assert hasattr(look.optimizer, "dynamic_scale") == (precision == "mixed_float16")
    assert {str(one.dtype) for one in trained.network.trainable_variables} == {"float32"}
    assert accuracy(trained.network, dataset) > 0.9


@pytest.mark.usefixtures("two_steps_at_once")
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_it_goes_on_in_the_middle_of_an_epoch_to_the_same_weights(
    dataset, tmp_path, precision, float32_afterwards
):
    scaled = recipe(**{**EVERYTHING, "epochs": 2, "precision": precision})
    looks = {"whole": Look(), "resumed": Look()}
    whole = train(scaled, dataset, [looks["whole"]])
    with pytest.raises(Interrupted):
        train(scaled, dataset, [InterruptAt(8)], Checkpoint(tmp_path))
    assert Checkpoint(tmp_path).progress().step == 8  # of epochs of 6
    resumed = train(scaled, dataset, [looks["resumed"]], Checkpoint(tmp_path))
    if precision == "mixed_float16":  # whose loss is scaled by a number that changes with steps
        assert {int(look.optimizer.step_counter) for look in looks.values()} == {12}
    assert resumed.history["val_loss"] == pytest.approx(whole.history["val_loss"])
    for one, other in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
