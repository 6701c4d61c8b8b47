"""`imgpipe sweep` compares, searches, and writes the best config."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contracts.config.loading.loader import load_config
from tests.e2e.conftest import Project

CONFIG = """\
name: stripes
data:
  root: photos/
  splits: {train: 6, validation: 3, test: 1}
preprocessing: {image_size_px: 16}
trainer:
  # small
  model_options: {filters: [4]}
  epochs: 1
  warmup_epochs: 0.0
search:
  trials: 2
  space:
    trainer.learning_rate: {low: 1.0e-3, high: 1.0e-1, scale: log}
    trainer.model_options.kernel_size: [3, 5]
    trainer.metrics: [[mine.py:First], [mine.py:Second]]
"""

METRICS = """
from keras.metrics import MeanSquaredError
class First(MeanSquaredError): ...
class Second(MeanSquaredError): ...
"""


@pytest.fixture(scope="module")
def stripes(tmp_path_factory) -> Project:
    """A project of two classes of stripes."""
    folder = tmp_path_factory.mktemp("sweep")
    rng = np.random.default_rng(0)
    for number in range(40):
        pixels = rng.integers(0, 60, (16, 16, 3), np.uint8)
        pixels[::4] += 120
        path = folder / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels if number % 2 else pixels.transpose(1, 0, 2)).save(path)
    (folder / "pipeline.yaml").write_text(CONFIG)
    (folder / "mine.py").write_text(METRICS)
    return Project(folder)


def test_augmentation_is_compared_over_seeds_and_never_trained_twice(stripes):
    done = stripes.command("sweep", "--seeds", "2", "--json")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert [result["name"] for result in record["results"]] == [
        "without augmentation",
        "augmentation light",
    ]
    assert [result["spread"]["count"] for result in record["results"]] == [2, 2]
    assert record["results"][1]["difference"]["verdict"] in ("helps", "hurts", "same", "unclear")
    assert record["images"] == 12
    folder = stripes.workspace / "sweeps" / record["sweep_id"]
    assert json.loads((folder / "sweep.json").read_text()) == record
    again = stripes.command("sweep", "--seeds", "2")
    assert again.code == 0, again.err
    assert again.err.count("cached in") == 2 + 4, again.err
    assert "augmentation light against without augmentation: " in again.out


def test_a_search_writes_the_best_values_and_the_config_with_them(stripes):
    done = stripes.command("sweep", "--search", "--write", "best.yaml", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    scores = [trial["score"] for trial in found["trials"]]
    assert len(scores) == 2
    assert found["best"]["score"] == max(scores)
    best_yaml = Path(found["best_yaml"]).read_text()
    assert best_yaml.startswith(f"# val_accuracy {max(scores):.4f} in trial ")
    assert "metrics: ['mine.py:" in best_yaml
    assert str(stripes.folder) not in (stripes.folder / "best.yaml").read_text()
    config = load_config(stripes.folder / "best.yaml")
    assert config.trainer.learning_rate == found["best"]["values"]["trainer.learning_rate"]
    assert config.trainer.options().filters == (4,)
    assert "  # small\n" in (stripes.folder / "best.yaml").read_text()
    refused = stripes.command("sweep", "--search", "--write", "best.yaml")
    assert refused.code == 2
    assert "--write: expected nothing at best.yaml" in refused.err


def test_copies_are_trained_on_and_mlflow_is_not_needed(stripes, tmp_path):
    copies = "augmentation.materialise.min_examples=40"
    options = ["--set", copies, "--set", "tracking.mlflow.enabled=false"]
    options += ["--workspace", str(tmp_path / "w")]
    for command in (["sweep", "--seeds", "1"], ["sweep", "--search"]):
        done = stripes.command(*command, *options)
        assert done.code == 0, done.err
        assert "Augmenter" in done.err
    assert not list((tmp_path / "w").glob("mlflow*"))


def test_wrong_calls_are_sentences(stripes):
    refused = stripes.command("sweep", "--seeds", "0", "--write", "x.yaml")
    assert refused.code == 2
    assert "--seeds: expected an integer >= 1, received 0." in refused.err
    assert "--write: expected --search" in refused.err
    refused = stripes.command("sweep", "--search", "--set", "search.space={}")
    assert refused.code == 2
    assert "search.space: expected keys and their values" in refused.err
