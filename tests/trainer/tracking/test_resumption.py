"""A training that was killed goes on in its runs, with each epoch once."""

import csv
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest
from mlflow.tracking import MlflowClient

from contracts.config.tracking import TrackingConfig, TrackingPlan, TrackingStore, WandbConfig
from contracts.system.errors import ComponentError
from tests.trainer.tracking.wandb_file import wandb_history
from tests.trainer.training.test_train import recipe
from trainer.tracking import TrackedTraining, TrackerRuns, Tracking, trackers
from trainer.tracking.wandb_run import WandbRun
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import TrainedModel, train
from trainer.training.workflow import epoch_points

ON = {"enabled": True}
EPOCHS = [1, 2, 3, 4]
RECIPE = recipe(epochs=4, batch_size=32)


class Killed(Exception):
    """The process is gone."""


class KilledBeforeItIsLogged(keras.callbacks.Callback):
    """Ends the training when the state has the second epoch and no tracker has."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise Killed


def plan_in(folder: Path) -> TrackingPlan:
    return TrackingPlan(
        tracking=TrackingConfig(
            mlflow={**ON, "system_metrics": False}, tensorboard=ON, wandb=ON, csv=ON
        ),
        store=TrackingStore(
            uri=f"sqlite:///{folder}/mlflow.db",
            name="stripes",
            artifact_location=(folder / "artifacts").as_uri(),
        ),
        tensorboard_folder=str(folder / "tensorboard"),
        wandb_folder=str(folder),
    )


def killed(plan: TrackingPlan, dataset, folder: Path) -> Checkpoint:
    """Train until a kill that ends no run, and return what is left."""
    wandb = pytest.importorskip("wandb")
    checkpoint = Checkpoint(folder / "checkpoint")
    training = TrackedTraining("a-run", RECIPE, dataset, folder / "killed")
    tracking = Tracking(
        trackers(plan), training, lambda runs: runs.write(checkpoint.folder)
    ).__enter__()
    with pytest.raises(Killed):
        train(RECIPE, dataset, [KilledBeforeItIsLogged(), tracking.callback()], checkpoint)
    until_s = time.monotonic() + 30
    while any(delivery._waiting for delivery in tracking._begun):
        assert time.monotonic() < until_s
        time.sleep(0.05)
    wandb.finish()  # there is one of them in a process
    return checkpoint


@dataclass
class Resumed:
    plan: TrackingPlan
    folder: Path
    runs: TrackerRuns  # of the training that was killed
    trained: TrainedModel
    tracked: dict


def resume(plan: TrackingPlan, dataset, folder: Path, checkpoint: Checkpoint) -> Resumed:
    runs = TrackerRuns.read(checkpoint.folder)
    epochs = epoch_points(checkpoint.progress())
    assert len(epochs) == 2
    training = TrackedTraining(runs.name, RECIPE, dataset, folder / "resumed", runs.ids, epochs)
    with Tracking(trackers(plan), training) as tracking:
        trained = train(RECIPE, dataset, [tracking.callback()], checkpoint)
    tracked = {one.tracker: one for one in tracking.tracked}
    assert [one.trouble for one in tracked.values()] == [""] * 4
    return Resumed(plan, folder, runs, trained, tracked)


@pytest.fixture(scope="module")
def offline():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WANDB_API_KEY", raising=False)
        patch.setenv("NETRC", "/nowhere")
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        yield


@pytest.fixture(scope="module")
def resumed(tmp_path_factory, dataset, offline) -> Resumed:
    folder = tmp_path_factory.mktemp("resumed")
    plan = plan_in(folder)
    return resume(plan, dataset, folder, killed(plan, dataset, folder))


def test_mlflow_has_one_run_with_all_epochs_that_is_finished(resumed):
    client = MlflowClient(resumed.plan.store.uri)
    (experiment,) = client.search_experiments(filter_string="name = 'stripes'")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id == resumed.tracked["MLflow"].run_id == resumed.runs.ids["MLflow"]
    assert run.info.status == "FINISHED"
    for name in ("loss", "val_loss", "learning_rate"):
        logged = client.get_metric_history(run.info.run_id, name)
        assert [one.step for one in logged] == EPOCHS
        assert [one.value for one in logged] == pytest.approx(resumed.trained.history[name])
    steps = [one.step for one in client.get_metric_history(run.info.run_id, "step/loss")]
    assert steps == sorted(set(steps))
    assert run.data.params["used.batch_size"] == "32"
    assert len(run.inputs.dataset_inputs) == 1


def test_tensorboard_has_one_run_with_all_epochs(resumed):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (run,) = (resumed.folder / "tensorboard").iterdir()
    for split in ("train", "validation"):
        read = EventAccumulator(str(run / split)).Reload()
        assert [event.step for event in read.Tensors("epoch/loss")] == EPOCHS


def test_tables_have_all_epochs(resumed):
    with (resumed.folder / "resumed" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == EPOCHS
    losses = [float(row["loss"]) for row in rows]
    assert losses == pytest.approx(resumed.trained.history["loss"])
    assert all(float(row["epoch_seconds"]) > 0 for row in rows)


def test_wandb_offline_has_a_new_run_with_all_epochs(resumed):
    run_id = resumed.tracked["Weights & Biases"].run_id
    assert run_id != resumed.runs.ids["Weights & Biases"]
    (file,) = (resumed.folder / "wandb").glob(f"offline-run-*-{run_id}/*.wandb")
    losses = [logged["loss"] for logged in wandb_history(file) if "loss" in logged]
    assert losses == pytest.approx(resumed.trained.history["loss"])


def test_a_run_that_is_gone_from_mlflow_is_a_new_one_that_says_so(tmp_path, dataset, offline):
    plan = plan_in(tmp_path)
    checkpoint = killed(plan, dataset, tmp_path)
    gone = TrackerRuns.read(checkpoint.folder).ids["MLflow"]
    client = MlflowClient(plan.store.uri)
    client.delete_run(gone)
    tracked = resume(plan, dataset, tmp_path, checkpoint).tracked["MLflow"]
    assert tracked.run_id != gone
    assert f"a new one, since run {gone} is gone" in tracked.place
    run = client.get_run(tracked.run_id)
    assert f"Goes on from run {gone}" in run.data.tags["mlflow.note.content"]
    assert [one.step for one in client.get_metric_history(tracked.run_id, "loss")] == EPOCHS


@pytest.mark.parametrize("is_there", [True, False])
def test_wandb_online_goes_on_where_the_run_is(monkeypatch, dataset, tmp_path, is_there):
    wandb = pytest.importorskip("wandb")
    asked = []

    def init(**given):
        asked.append(given)
        resumes = given.get("resume") == "must"
        if resumes and not is_there:
            raise wandb.Error("no such run")
        return SimpleNamespace(
            id=given.get("id", "new"),
            url="https://wandb",
            resumed=resumes,
            summary={"epoch": 2, "step": 6} if resumes else {},
            define_metric=lambda *_, **__: None,
        )

    monkeypatch.setattr(wandb, "init", init)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    run = WandbRun(WandbConfig(enabled=True, mode="online"), "stripes", str(tmp_path))
    training = TrackedTraining("a-run", RECIPE, dataset, tmp_path)
    run.begin(replace(training, runs={"Weights & Biases": "old"}))
    assert (run.run_id, run.logged.step) == (("old", 6) if is_there else ("new", 0))
    assert run.logged.epochs == (frozenset({1, 2}) if is_there else frozenset())
    assert is_there or asked[1]["notes"] == "Goes on from run old."


def test_a_store_that_does_not_answer_is_no_store_without_the_run(tmp_path, dataset, monkeypatch):
    from mlflow.exceptions import MlflowException

    from trainer.tracking import mlflow_run

    class Away:
        def get_run(self, run_id):
            raise MlflowException("the server is away")

    monkeypatch.setattr(mlflow_run, "open_client", lambda uri: Away())
    training = TrackedTraining("a-run", RECIPE, dataset, tmp_path, runs={"MLflow": "old"})
    run = mlflow_run.MlflowRun(plan_in(tmp_path).store, system_metrics=False)
    with pytest.raises(ComponentError, match=r"tracking\.mlflow\.uri: .*the server is away"):
        run.begin(training)
