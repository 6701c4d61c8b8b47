"""A tracker that is switched on after a training costs no second training."""

from pathlib import Path

import pytest

from tests.e2e.conftest import FEW_EPOCHS, Project, noise_project


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return noise_project(tmp_path_factory.mktemp("observed"), "explanation: {pictures: false}\n")


def best_weights(project: Project) -> list[Path]:
    """Return the weights of each execution of the Trainer, the first first."""
    runs = (project.workspace / "pipeline" / "Trainer" / "model_run").iterdir()
    return [
        run / "weights" / "best.weights.h5" for run in sorted(runs, key=lambda run: int(run.name))
    ]


def test_a_tracker_and_pictures_cost_no_other_training(project):
    first = project.run()
    assert first.code == 0, first.err
    switched_on = ("tracking.csv.enabled=true", "explanation.pictures=true")
    options = [word for one in switched_on for word in ("--set", one)]
    later = project.command("run", *FEW_EPOCHS, *options)
    assert later.code == 0, later.err
    before, after = first.summary, project.command("status", "--json").summary
    assert before["trained_in"] == ""
    (mlflow,) = before["tracked"]
    assert f"run {after['trained_in']} " in mlflow["place"]
    assert not after["components"]["Trainer"]["cached"]
    assert (
        "tracking.csv.enabled changed from False to True" in after["components"]["Trainer"]["why"]
    )
    why = after["components"]["ChampionResolver"]["why"]
    assert why.startswith("champion changed from nothing to version 1 ")
    assert after["metrics"]["accuracy"] == before["metrics"]["accuracy"]
    again_in_mlflow, csv = after["tracked"]
    assert (again_in_mlflow["run_id"], csv["tracker"]) == (mlflow["run_id"], "CSV")
    trained, again = best_weights(project)
    assert trained.samefile(again)
    table = (again.parents[1] / "history.csv").read_text().splitlines()
    assert len(table) == 1 + 6
    assert (again.parents[1] / "pictures" / "learning_curves.png").exists()
    assert f"in run {after['trained_in']}; there was nothing to train" in later.out
    assert len(list((project.workspace / "checkpoints").iterdir())) == 1
