"""What `auto` stands for is found by trial, and a training goes on with it."""

import time

import numpy as np
import pytest

from contracts.system.errors import ComponentError
from contracts.system.memory import Memory
from tests.trainer.training.test_train import recipe
from trainer.hardware.devices import Devices
from trainer.measurement import batch_size
from trainer.measurement.batch_size import find_batch_size
from trainer.measurement.learning_rate import LossCurve
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train


def test_a_training_finds_both_and_keeps_them(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_size, "STEPS_AN_EPOCH", 6)
    automatic = recipe(epochs=2, batch_size="auto", learning_rate="auto")
    trained = train(automatic, dataset, (), Checkpoint(tmp_path))
    assert trained.batch_size == 16  # of 96 images
    assert 1e-6 < trained.learning_rate < 1
    tried = LossCurve(**trained.rates_tried)
    assert trained.learning_rate == tried.rate()
    assert len(tried.rates) > 20
    progress = Checkpoint(tmp_path).progress()
    assert (progress.batch_size, progress.learning_rate) == (16, trained.learning_rate)


def test_the_rate_is_a_tenth_of_that_with_the_lowest_loss():
    assert LossCurve([1e-3, 1e-2, 1e-1, 1.0], [2.0, 1.0, 0.5, 9.0]).rate() == pytest.approx(1e-2)
    with pytest.raises(ComponentError, match="the lowest learning rate already"):
        LossCurve([], []).rate()


def test_a_batch_that_runs_out_of_memory_is_too_large(dataset, monkeypatch):
    def train_on_batch(model, inputs, targets):
        if len(targets) > 16:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating a tensor")

    monkeypatch.setattr(batch_size, "STEPS_AN_EPOCH", 1)
    monkeypatch.setattr(batch_size.TrainingModel, "train_on_batch", train_on_batch)
    assert train(recipe(epochs=1, batch_size="auto"), dataset).batch_size == 16


@pytest.mark.parametrize("gpus", [[], ["one that is not asked for"]])
def test_memory_below_an_earlier_peak_of_the_process_counts(dataset, monkeypatch, gpus):
    earlier = np.ones(2**29, np.uint8)  # a peak that the trials do not come to
    del earlier

    def train_on_batch(model, inputs, targets):
        taken = np.ones(len(targets) * 2**22, np.uint8)  # 4 MiB an image
        time.sleep(0.1)
        del taken

    monkeypatch.setattr("trainer.hardware.devices.gpus", lambda: gpus)
    monkeypatch.setattr(batch_size, "STEPS_AN_EPOCH", 1)
    monkeypatch.setattr(batch_size.TrainingModel, "train_on_batch", train_on_batch)
    left = Memory(2**34, 400 * 2**20, 2**30)  # by a limit of the container
    monkeypatch.setattr(batch_size, "read_memory", lambda: left)
    # Twice 32 images take 256 MiB of 0.8 x 400 MiB, twice 64 more than that.
    cpu = Devices("cpu", ("/device:CPU:0",))
    assert find_batch_size(recipe(batch_size="auto"), dataset, cpu) == 32


@pytest.mark.parametrize(("replicas", "found"), [(2, 16), (3, 18), (16, 16)])
def test_it_is_a_size_that_the_devices_can_share(dataset, monkeypatch, replicas, found):
    tried = []
    monkeypatch.setattr(batch_size, "STEPS_AN_EPOCH", 5)  # of 96 images
    monkeypatch.setattr(
        batch_size.TrainingModel,
        "train_on_batch",
        lambda model, inputs, targets: tried.append(len(targets)),
    )
    several = Devices("mirrored", tuple(f"/device:CPU:{number}" for number in range(replicas)))
    assert find_batch_size(recipe(batch_size="auto"), dataset, several) == found
    assert max(tried) * replicas == found  # each of them is given a batch of its own


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (RuntimeError("RESOURCE_EXHAUSTED: failed"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes"), True),
        (ValueError("wrong shape"), False),
    ],
)
def test_only_errors_of_memory_are_taken_for_such(error, is_it):
    assert batch_size.is_out_of_memory(error) is is_it
