"""The recipe `transfer` trains end to end, on weights from a file where there is no network."""

import numpy as np
import pytest

from contracts.config.loading.loader import load_config
from tests.e2e.conftest import Project, imgpipe
from trainer.models import build_model


@pytest.mark.slow
def test_transfer_fine_tunes_a_backbone_with_weights_for_other_classes(tmp_path, write_image):
    project = Project(tmp_path)
    assert project.command("init", "--recipe", "transfer").code == 0
    for number in range(24):
        label = ("dark", "light")[number % 2]
        write_image(tmp_path / "photos" / label / f"{number}.png", seed=number)
    config = load_config(tmp_path / "pipeline.yaml", environ={})
    random = config.trainer.model_copy(update={"weights": None})
    network = build_model(random, 32, classes=3)
    network.save_weights(tmp_path / "three.weights.h5")
    values = {
        "preprocessing.image_size_px": 32,
        "trainer.weights": "three.weights.h5",
        "trainer.epochs": 2,
        "trainer.fine_tuning.frozen_epochs": 1,
        "explanation.pictures": "false",
    }
    options = [f"--set={key}={value}" for key, value in values.items()]
    ended = imgpipe("run", "--to", "Trainer", "--json", *options, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.summary["components"]["Trainer"]["state"] == "done"
    (run,) = (project.workspace / "pipeline" / "Trainer" / "model_run").iterdir()
    trained = build_model(random, 32, classes=2)
    trained.load_weights(run / "weights" / "last.weights.h5")
    before, after = (np.asarray(one.weights[0]) for one in (network, trained))
    # An epoch of fine-tuning changes the weights of the file a little; random ones are far away.
    assert 0 < np.linalg.norm(after - before) < 0.2 * np.linalg.norm(before)
