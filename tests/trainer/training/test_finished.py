"""A training that has ended is not trained again; what was measured is kept with its weights."""

import json
import os
import time

import keras
import numpy as np
import pytest

from tests.trainer.training.test_train import recipe
from trainer.training.checkpoints import KEPT_UNUSED_S, Checkpoint
from trainer.training.finished import FinishedTraining
from trainer.training.train import train

TWO_PHASES = {"epochs": 3, "fine_tuning": {"frozen_epochs": 1}}


def finish(checkpoint: Checkpoint, dataset, callbacks=(), **settings):
    """Train, keep the result and return what `train` returned."""
    trained = train(recipe(**settings), dataset, callbacks, checkpoint)
    FinishedTraining.keep("a-run", trained, checkpoint)
    return trained


@pytest.mark.parametrize("settings", [{"epochs": 2, "learning_rate": "auto"}, TWO_PHASES])
def test_the_restored_model_is_the_trained_one(dataset, tmp_path, settings):
    checkpoint = Checkpoint(tmp_path)
    trained = finish(checkpoint, dataset, **settings)
    again = FinishedTraining.read(checkpoint).restored(recipe(**settings), dataset, checkpoint)
    for one, other in zip(trained.network.weights, again.network.weights, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.path == other.path
    trainable = [[one.path for one in a.network.trainable_weights] for a in (trained, again)]
    assert trainable[0] == trainable[1]
    for name in ("history", "best_epoch", "steps", "batch_size", "learning_rate", "rates_tried"):
        assert getattr(again, name) == getattr(trained, name), name
    assert (again.devices, again.precision) == (trained.devices, trained.precision)


@pytest.mark.usefixtures("float32_afterwards")
def test_it_is_restored_in_the_precision_that_it_was_trained_in(dataset, tmp_path):
    checkpoint = Checkpoint(tmp_path)
    finish(checkpoint, dataset, epochs=1, precision="mixed_bfloat16")
    keras.config.set_dtype_policy("float32")
    again = FinishedTraining.read(checkpoint).restored(recipe(epochs=1), dataset, checkpoint)
    assert again.precision == "mixed_bfloat16"
    assert "bfloat16" in {layer.compute_dtype for layer in again.network.layers}


def test_seconds_and_ends_of_epochs_are_those_of_the_training(dataset, tmp_path):
    began_ms = time.time() * 1000
    trained = finish(Checkpoint(tmp_path), dataset, epochs=3)
    progress = FinishedTraining.read(Checkpoint(tmp_path)).progress
    assert len(progress.epoch_seconds) == len(progress.epoch_ends_ms) == 3
    assert all(seconds > 0 for seconds in progress.epoch_seconds)
    assert sum(progress.epoch_seconds) <= progress.seconds == trained.seconds
    ends = [began_ms, *progress.epoch_ends_ms, time.time() * 1000]
    assert ends == sorted(ends)


def test_only_weights_and_what_was_measured_are_kept(dataset, tmp_path):
    trained = finish(Checkpoint(tmp_path), dataset, epochs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"epoch-{trained.best_epoch}.best.weights.h5",
        "finished.json",
        "last.weights.h5",
    ]


def test_the_kept_weights_cost_no_disk_beside_those_of_the_model(dataset, tmp_path):
    checkpoint = Checkpoint(tmp_path / "kept")
    trained = finish(checkpoint, dataset, epochs=1)
    checkpoint.copy_weights(tmp_path / "weights", trained.best_epoch)
    for kept, name in zip(checkpoint.weights(0), ("best", "last"), strict=True):
        assert kept.samefile(tmp_path / "weights" / f"{name}.weights.h5")


@pytest.mark.parametrize("damage", ["changed", "gone", "record"])
def test_a_result_that_is_damaged_is_as_good_as_none(dataset, tmp_path, caplog, damage):
    checkpoint = Checkpoint(tmp_path)
    finish(checkpoint, dataset, epochs=1)
    best, last = checkpoint.weights(0)
    if damage == "changed":
        best.write_bytes(last.read_bytes() + b"\0")
    elif damage == "gone":
        last.unlink()
    else:
        (tmp_path / "finished.json").write_text(json.dumps({"run": "a-run"}))
    assert FinishedTraining.read(checkpoint) is None
    assert "begins anew" in caplog.text
    assert FinishedTraining.read(Checkpoint(tmp_path / "another")) is None


def test_results_that_nobody_used_for_two_weeks_are_removed(tmp_path):
    for key in ("old", "new", "mine"):
        (tmp_path / key).mkdir()
        (tmp_path / key / "finished.json").touch()
    past_s = time.time() - KEPT_UNUSED_S - 60
    for key in ("old", "mine"):
        os.utime(tmp_path / key, (past_s, past_s))
    mine = Checkpoint.of(tmp_path, "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "new"]
    assert time.time() - mine.folder.stat().st_mtime < 60
