"""A folder may hold modules named like our packages: whatever imgpipe starts passes them over."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contracts.environment.own_packages import PACKAGES
from tests.e2e.conftest import IMGPIPE, Project

CONFIG = """\
name: stripes
data:
  root: photos/
  splits: {train: 6, validation: 3, test: 1}
preprocessing: {image_size_px: 16}
trainer:
  model: net.py:build
  epochs: 1
  warmup_epochs: 0.0
tracking: {mlflow: {enabled: false}}
"""
NET = """\
import keras

def build(size_px, classes):
    return keras.Sequential([
        keras.layers.Flatten(), keras.layers.Dense(classes, "softmax", dtype="float32")])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A project of two classes of noise, beside modules that raise when they are imported."""
    folder = tmp_path_factory.mktemp("names")
    rng = np.random.default_rng(0)
    for number in range(40):
        path = folder / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).save(path)
    (folder / "pipeline.yaml").write_text(CONFIG)
    (folder / "net.py").write_text(NET)
    for name in PACKAGES:
        (folder / f"{name}.py").write_text("raise RuntimeError('the one of the user')")
    return Project(folder)


@pytest.fixture
def python_path_here(monkeypatch) -> None:
    """PYTHONPATH names the working directory: what lies there comes before what is installed."""
    monkeypatch.setenv("PYTHONPATH", ".")


def test_the_whole_pipeline_beside_others_on_the_python_path(project, python_path_here):
    assert project.command("check").code == 0
    done = project.command("run", "--json", "--set", "evaluation.min_accuracy=0")
    assert done.code == 0, done.err
    example = Path("photos", done.summary["data"]["example"])
    for command in ("status", "models", "data files", f"predict {example}"):
        assert project.command(command).err == ""


def test_doctor(project, python_path_here):
    done = project.command("doctor", "--json")
    found = {one["name"]: one for one in json.loads(done.out)}
    assert "tensorflow" not in found, found["tensorflow"]  # there is a line where it fails
    assert found["keras backend"]["state"] == "ok"


def test_sweep_and_training_by_hand(project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(project.folder))  # of every process, wherever it starts
    options = ["--vary", "trainer.learning_rate=1e-3,1e-2", "--seeds", "1", "--json"]
    done = project.command("sweep", *options)
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert [one["status"] for one in record["trainings"]] == ["completed"] * 2
    log = project.workspace / "sweeps" / record["sweep_id"] / "sweep.log"
    assert "the one of the user" not in log.read_text()
    transformed = project.workspace / "pipeline" / "ImageTransform" / "transformed_examples"
    (examples,) = transformed.iterdir()
    command = [IMGPIPE.with_name("imgpipe-train"), "--examples", examples, "--output", "trained"]
    trained = subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, check=False
    )
    assert trained.returncode == 0, trained.stderr
    assert (project.folder / "trained" / "network.keras").exists()


def test_python_m_beside_others(project, tmp_path):
    for name in set(PACKAGES) - {"trainer"}:
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the one of the user')")
    asked = subprocess.run(
        [sys.executable, "-m", "trainer", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert asked.returncode == 0, asked.stderr
    assert "imgpipe-train" in asked.stdout
