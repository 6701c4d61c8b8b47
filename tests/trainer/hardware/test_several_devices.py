"""Two devices, and two machines, train what one does."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contracts.artifacts.image_dataset import ImageDataset
from tests.trainer.conftest import write_dataset
from tests.trainer.processes import JAX, finished, training, two_machines, weights


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> ImageDataset:
    """Return stripes whose validation images two devices cannot share, the last of them alone."""
    counts = {"train": (48, 48), "validation": (17, 16), "test": (0, 0)}
    return write_dataset(tmp_path_factory.mktemp("odd"), counts)


@pytest.fixture(scope="module")
def one_process(tmp_path_factory, dataset) -> Path:
    folder = tmp_path_factory.mktemp("one")
    finished(training(folder, dataset))
    return folder


def on_two_machines(folder: Path, dataset: ImageDataset, *options: str) -> list[subprocess.Popen]:
    options = ("--set=trainer.devices=multi_worker", *options)
    return [training(folder, dataset, *options, **machine) for machine in two_machines()]


@pytest.mark.parametrize("lost", [0, 1])
def test_a_machine_that_is_lost_is_told_and_the_training_goes_on(tmp_path, dataset, lost):
    options = ["--set=trainer.epochs=20", "--set=trainer.early_stopping_patience=0"]
    workers = on_two_machines(tmp_path, dataset, *options)
    wait_until(lambda: list(tmp_path.glob("out/state/*/state.npz")))
    workers[lost].kill()
    _, err = workers[1 - lost].communicate(timeout=120)
    workers[lost].communicate()
    assert workers[1 - lost].returncode == 1
    (said,) = [line for line in err.splitlines() if line.startswith("imgpipe-train: ")]
    assert said.startswith("imgpipe-train: Trainer: lost another machine of TF_CONFIG (")
    assert said.endswith("it goes on after the last whole epoch.")
    assert "Traceback" not in err
    with np.load(next(tmp_path.glob("out/state/*/state.npz"))) as state:
        before = json.loads(state["record"].tobytes())["step"]
    assert 0 < before < 120
    for worker in on_two_machines(tmp_path, dataset, *options):
        assert f"The training goes on after step {before}." in finished(worker)
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert record["steps"] == 120


def wait_until(is_true: Callable[[], object], seconds: float = 60.0) -> None:
    end_s = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end_s
        time.sleep(0.1)


def test_two_machines_train_what_one_does_on_the_same_global_batch(tmp_path, dataset, one_process):
    outs = [finished(worker) for worker in on_two_machines(tmp_path, dataset)]
    assert ["Wrote" in out for out in outs] == [True, False]  # one of them writes
    for out in outs:
        assert out.startswith("1 of 2 machines (waiting for the others that TF_CONFIG names)\n")
    ours, theirs = weights(tmp_path), weights(one_process)
    assert ours.keys() == theirs.keys()
    for name, one in ours.items():
        np.testing.assert_allclose(one, theirs[name], rtol=1e-4, atol=1e-5, err_msg=name)
    ours = json.loads((tmp_path / "out" / "training.json").read_text())
    theirs = json.loads((one_process / "out" / "training.json").read_text())
    assert "2 machines" in ours["devices"]
    for metric, values in theirs["history"].items():
        assert ours["history"][metric] == pytest.approx(values, rel=1e-4, abs=1e-5), metric


# Two CPUs of one machine stand for two GPUs.
TWO_DEVICES = """\
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""


def test_two_devices_train_what_one_does_on_the_same_global_batch(tmp_path, dataset, one_process):
    finished(training(tmp_path, dataset, "--set=trainer.devices=mirrored", code=TWO_DEVICES))
    ours, theirs = weights(tmp_path), weights(one_process)
    for name, one in ours.items():
        np.testing.assert_allclose(one, theirs[name], rtol=1e-4, atol=1e-5, err_msg=name)
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert "CPU:1" in record["devices"]
    expected = json.loads((one_process / "out" / "training.json").read_text())["history"]
    for metric, values in expected.items():
        assert record["history"][metric] == pytest.approx(values, rel=1e-4, abs=1e-5), metric
    options = ["--set=trainer.devices=mirrored", "--set=trainer.batch_size=23"]
    process = training(tmp_path, dataset, *options, code=TWO_DEVICES)
    assert "trainer.batch_size that 2 devices can share, received 23" in process.communicate()[1]


def test_two_devices_under_jax_train_what_one_does_on_the_same_global_batch(tmp_path, dataset):
    pytest.importorskip("jax")
    found, histories = {}, {}
    for count, devices in ((1, "auto"), (2, "mirrored")):
        folder = tmp_path / devices
        folder.mkdir()
        cpus = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={count}"}
        finished(training(folder, dataset, f"--set=trainer.devices={devices}", **JAX, **cpus))
        record = json.loads((folder / "out" / "training.json").read_text())
        assert record["devices"].count("cpu:") == count
        found[devices] = weights(folder)
        histories[devices] = record["history"]
    for name, one in found["mirrored"].items():
        np.testing.assert_allclose(one, found["auto"][name], rtol=1e-4, atol=1e-5, err_msg=name)
    for metric, values in histories["auto"].items():
        assert histories["mirrored"][metric] == pytest.approx(values, rel=1e-4, abs=1e-5), metric
