"""What the user's folders are called, and what other projects left in the home, does not matter."""

import json
import os
import subprocess
from pathlib import Path
from shlex import quote

import numpy as np
import pytest
from PIL import Image

from contracts.config.mlflow_uri import sqlite_uri
from tests.e2e.conftest import IMGPIPE, Result, imgpipe

NAME = 'it\'s "100%20" of {a}, #1; $HOME & ~b: <c>\n字'
CONFIG = {
    "name": "squares",
    "data": {"root": NAME, "splits": {"train": 6, "validation": 2, "test": 2}},
    "preprocessing": {"image_size_px": 16},
    "trainer": {"epochs": 1, "warmup_epochs": 0.0},
    "evaluation": {"min_accuracy": 0.0},
    "tracking": {
        "mlflow": {"uri": sqlite_uri(Path(f"{NAME}.db"))},
        "tensorboard": {"enabled": True},
        "csv": {"enabled": True},
    },
}
KERAS_JSON = {
    "floatx": "float16",
    "epsilon": 1e-3,
    "backend": "theano",
    "image_data_format": "channels_first",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A project in a folder with every character that a path may have, and two classes."""
    folder = tmp_path_factory.mktemp("names") / f"-{NAME}"
    rng = np.random.default_rng(0)
    for number in range(40):
        path = folder / NAME / f"{'ab'[number % 2]} {NAME}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 90, (16, 16, 3), np.uint8)
        pixels[2:12, 2:12, number % 2] = 250
        Image.fromarray(pixels).save(path)
    (folder / "pipeline.yaml").write_text(json.dumps(CONFIG))
    return folder


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """An empty working directory, and a home in which Keras was set up for another project."""
    (tmp_path / "home" / ".keras").mkdir(parents=True)
    (tmp_path / "home" / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", os.pathsep.join((str(IMGPIPE.parent), os.environ["PATH"])))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def pasted(command: str, folder: Path) -> Result:
    """Run what was printed as a user does who pastes it into a shell."""
    ran = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    return Result(ran.returncode, ran.stdout, ran.stderr)


def test_a_run_and_all_that_follows(folder, elsewhere):
    config = folder / "pipeline.yaml"
    checked = imgpipe("check", "--config", config, cwd=elsewhere)
    assert checked.code == 0, checked.err
    done = pasted(checked.out.partition("Next: ")[2], elsewhere)
    assert done.code == 0, done.err
    predicted = pasted(done.out.partition("\nnext ")[2].strip(), elsewhere)
    assert predicted.code == 0, predicted.err
    assert f"b {NAME}" in predicted.out or f"a {NAME}" in predicted.out
    again = imgpipe("run", "--config", config, "--json", cwd=elsewhere)
    assert {one["state"] for one in again.summary["components"].values()} == {"cached"}
    for words in (["status"], ["models"], ["data", "report"], ["data", "files"]):
        shown = imgpipe(*words, "--config", config, cwd=elsewhere)
        assert (shown.code, shown.err) == (0, "")
    for command in (
        "run",
        f"predict {quote(str(folder / NAME / f'a {NAME}' / '0.png'))}",
        "models",
    ):
        line = f"imgpipe {command} --config {quote(str(config))} | true; echo ${{PIPESTATUS[0]}}"
        left = pasted(line, elsewhere)
        assert left.out == "141\n"
        assert "Broken pipe" not in left.err
    names = [f"{NAME}.db", NAME, "mlflow-artifacts", "pipeline.yaml", "workspace"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert list(elsewhere.iterdir()) == []
    for tracked in again.summary["tracked"]:
        assert tracked["trouble"] == ""
    place = next(one["place"] for one in again.summary["tracked"] if one["tracker"] == "MLflow")
    command = place.partition("`mlflow ui")[2].rstrip("`")
    echoed = pasted(f"printf %s {command.removeprefix(' --backend-store-uri')}", elsewhere)
    assert echoed.out == sqlite_uri(folder / f"{NAME}.db")
