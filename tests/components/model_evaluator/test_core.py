"""The evaluation goes through the serving signature, for both models, over every image."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from components.model_evaluator import core
from components.model_evaluator.core import BaselineModel, evaluate
from contracts.artifacts.evaluation import PREDICTIONS_FILE
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.preprocessing import PreprocessingConfig
from contracts.config.trainer.config import TrainerConfig
from tests.components.conftest import COUNTS, LABELS
from trainer.export.saved_model import export
from trainer.models import build_model


def exported(folder: Path, labels: tuple[str, ...], bias: list[float]) -> Path:
    """Export a network that says the class with the largest bias of every image."""
    network = build_model(TrainerConfig(model_options={"filters": [2]}), 8, len(labels))
    head = network.get_layer("probabilities")
    head.kernel.assign(np.zeros(head.kernel.shape, np.float32))
    head.bias.assign(np.array(bias, np.float32))
    export(network, ImageDataset("", labels, PreprocessingConfig(image_size_px=8), {}), str(folder))
    return folder


@pytest.fixture
def shards(examples) -> list[Path]:
    return sorted((examples / "Split-test").iterdir())


def test_candidate_and_champion_in_one_pass(tmp_path, shards, monkeypatch):
    monkeypatch.setattr(core, "IMAGES_A_STEP", 3)  # several steps, the last one smaller
    candidate = exported(tmp_path / "candidate", LABELS, [2.0, 0.0])
    champion = exported(tmp_path / "champion", LABELS, [0.0, 3.0])
    metrics = evaluate(candidate, BaselineModel(champion, 4), shards, tmp_path)
    assert metrics.examples == COUNTS["test"]
    assert metrics.candidate.accuracy == metrics.champion.accuracy == 0.5
    assert metrics.champion_version == 4
    assert metrics.slices["bright"].recall == 1.0
    assert metrics.slices["bright"].champion_recall == 0.0
    table = pq.read_table(tmp_path / PREDICTIONS_FILE)
    assert table.num_rows == COUNTS["test"]
    assert set(table["predicted"].to_pylist()) == {"bright"}
    assert set(table["champion_predicted"].to_pylist()) == {"dark"}
    assert table.schema.metadata[b"classes"].decode().split("\n") == list(LABELS)
    np.testing.assert_allclose(table["probabilities"].to_pylist()[0], [0.881, 0.119], atol=1e-3)


def test_a_champion_that_never_heard_of_a_class_is_wrong_there(tmp_path, shards):
    candidate = exported(tmp_path / "candidate", LABELS, [0.0, 1.0])
    champion = exported(tmp_path / "champion", ("dark", "old"), [2.0, 0.0])
    metrics = evaluate(candidate, BaselineModel(champion, 1), shards, tmp_path)
    assert metrics.slices["bright"].champion_recall == 0.0
    assert metrics.slices["dark"].champion_recall == 1.0


def test_without_a_champion(tmp_path, shards):
    metrics = evaluate(exported(tmp_path / "m", LABELS, [0.0, 1.0]), None, shards, tmp_path)
    assert metrics.champion is None
    assert "champion_predicted" not in pq.read_table(tmp_path / PREDICTIONS_FILE).column_names
