"""What trackers log of a training can be read back from each."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from PIL import Image

from contracts.artifacts.training_record import TrainingRecord
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.tracking import TrackingConfig, TrackingPlan, TrackingStore
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from contracts.system.errors import ComponentError
from registry.model_signature import write_signature
from tests.trainer.conftest import SIZE_PX
from tests.trainer.tracking.wandb_file import wandb_config, wandb_history
from trainer.export.saved_model import export
from trainer.models import build_model
from trainer.tracking import TrackedTraining, Tracking, mlflow_run, run_name, trackers
from trainer.training.train import train

EPOCHS, STEPS = 2, 3
ON = {"enabled": True}


class Tracked:
    """A training that every tracker has logged."""

    def __init__(self, folder: Path, dataset) -> None:
        self.folder = folder
        self.model_run = folder / "model_run"
        self.store = TrackingStore(
            uri=f"sqlite:///{folder}/mlflow.db",
            name="stripes",
            artifact_location=(folder / "artifacts").as_uri(),
        )
        self.plan = TrackingPlan(
            tracking=TrackingConfig(mlflow=ON, tensorboard=ON, wandb=ON, csv=ON),
            store=self.store,
            tensorboard_folder=str(folder / "tensorboard"),
            wandb_folder=str(folder),
        )
        recipe = TrainingRecipe(
            trainer=TrainerConfig(model_options={"filters": [2]}, epochs=EPOCHS, batch_size=32),
            augmentation=AugmentationConfig(preset="none"),
            seed=1,
        )
        training = TrackedTraining("a-run", recipe, dataset, self.model_run)
        with Tracking(trackers(self.plan), training) as tracking:
            self.trained = train(recipe, dataset, callbacks=[tracking.callback()])
            picture = folder / "stripes.png"
            Image.fromarray(np.full((4, 6, 3), 200, np.uint8)).save(picture)
            tracking.picture("stripes", picture)
            card = folder / "model_card"
            card.mkdir()
            (card / "card.md").write_text("# Stripes")
            tracking.artifact(card)
        self.tracked = {one.tracker: one for one in tracking.tracked}


@pytest.fixture(scope="module")
def logged(tmp_path_factory, dataset) -> Tracked:
    pytest.importorskip("wandb")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WANDB_API_KEY", raising=False)
        patch.setenv("NETRC", "/nowhere")
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        patch.setattr(mlflow_run, "SYSTEM_SAMPLES_EVERY_S", 0.2)
        return Tracked(tmp_path_factory.mktemp("tracked"), dataset)


def test_nobody_is_in_trouble_and_each_says_where_it_is(logged):
    assert [one.trouble for one in logged.tracked.values()] == [""] * 4
    assert "mlflow ui --backend-store-uri sqlite:///" in logged.tracked["MLflow"].place
    assert "tensorboard --logdir" in logged.tracked["TensorBoard"].place
    assert "wandb sync" in logged.tracked["Weights & Biases"].place
    assert logged.tracked["CSV"].place.endswith("history.csv")


def test_mlflow_has_parameters_metrics_data_pictures_and_files(logged):
    client = MlflowClient(logged.store.uri)
    run = client.get_run(logged.tracked["MLflow"].run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "a-run")
    assert run.data.params["trainer.epochs"] == str(EPOCHS)
    assert run.data.params["trainer.model_options"] == '{"filters": [2]}'
    assert run.data.params["preprocessing.image_size_px"] == str(SIZE_PX)
    losses = client.get_metric_history(run.info.run_id, "val_loss")
    assert [one.step for one in losses] == [1, 2]
    assert [one.value for one in losses] == pytest.approx(logged.trained.history["val_loss"])
    steps = client.get_metric_history(run.info.run_id, "step/loss")
    assert [one.step for one in steps] == [STEPS, 2 * STEPS]
    assert run.inputs.dataset_inputs[0].dataset.name == "stripes"
    files = {
        file.path
        for top in ("pictures", "model_card", "config")
        for file in client.list_artifacts(run.info.run_id, top)
    }
    assert files == {"pictures/stripes.png", "model_card/card.md", "config/recipe.json"}


def test_mlflow_has_the_use_of_the_machine(logged):
    metrics = MlflowClient(logged.store.uri).get_run(logged.tracked["MLflow"].run_id).data.metrics
    assert metrics["system/cpu_utilization_percentage"] >= 0
    assert metrics["system/system_memory_usage_megabytes"] > 0


def test_tensorboard_has_scalars_in_one_chart_a_metric_and_pictures(logged):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = {}
    for split in ("train", "validation"):
        read[split] = EventAccumulator(
            str(logged.folder / "tensorboard" / "a-run" / split)
        ).Reload()
        losses = [
            tf.make_ndarray(event.tensor_proto).item()
            for event in read[split].Tensors("epoch/loss")
        ]
        name = "loss" if split == "train" else "val_loss"
        assert losses == pytest.approx(logged.trained.history[name], rel=1e-5)
    steps = [event.step for event in read["train"].Tensors("step/loss")]
    assert steps == [STEPS, 2 * STEPS]
    width, height, png = tf.make_ndarray(read["train"].Tensors("stripes")[0].tensor_proto)
    assert (int(width), int(height)) == (6, 4)
    assert tf.io.decode_png(png).numpy().mean() == 200
    parameters = read["train"].SummaryMetadata("_hparams_/session_start_info").plugin_data
    assert b"trainer.epochs" in parameters.content


def test_wandb_is_offline_without_a_key_and_its_file_can_be_read(logged):
    (run,) = (logged.folder / "wandb").glob("offline-run-*")
    (file,) = run.glob("*.wandb")
    history: dict[str, list] = {}
    for entry in wandb_history(file):
        for name, value in entry.items():
            history.setdefault(name, []).append(value)
    assert history["val_loss"] == pytest.approx(logged.trained.history["val_loss"])
    assert history["step"] == [STEPS, 2 * STEPS]
    assert history["pictures/stripes/width"] == [6]
    assert (run / "files" / "model_card" / "card.md").read_text() == "# Stripes"
    config = wandb_config(file)
    assert config["trainer.epochs"] == str(EPOCHS)
    assert config["preprocessing.image_size_px"] == str(SIZE_PX)
    assert config["data.examples"]["train"] == 96
    assert {"data.fingerprint", "used.batch_size", "used.devices"} <= config.keys()


def test_csv_has_a_row_an_epoch(logged):
    with (logged.model_run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for name in ("loss", "val_loss", "learning_rate"):
        values = [float(row[name]) for row in rows]
        assert values == pytest.approx(logged.trained.history[name])
    with (logged.model_run / "steps.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["3", "6"]


def test_no_tracker_is_needed(logged):
    nobody = TrackingConfig(mlflow={"enabled": False})
    assert trackers(logged.plan.model_copy(update={"tracking": nobody})) == []


def test_a_record_without_mlflow_names_no_run(tmp_path):
    TrainingRecord({"loss": [1.0]}, 0, 1, 1.0, 1).write(str(tmp_path))
    assert TrainingRecord.read(str(tmp_path)).mlflow_run_id is None


def test_a_record_gives_back_where_it_was_tracked(logged, tmp_path):
    tracked = tuple(logged.tracked.values())
    TrainingRecord({"loss": [1.0]}, 0, 1, 1.0, 1, tracked=tracked).write(str(tmp_path))
    read = TrainingRecord.read(str(tmp_path))
    assert read.tracked == tracked
    assert read.mlflow_run_id == logged.tracked["MLflow"].run_id


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mlflow", {"mlflow": ON}),
        ("tensorboard", {"mlflow": {"enabled": False}, "tensorboard": ON}),
    ],
)
def test_a_place_that_cannot_be_written_is_a_sentence_before_training(
    name, settings, logged, tmp_path, dataset
):
    (tmp_path / "file").touch()
    plan = TrackingPlan(
        tracking=TrackingConfig(**settings),
        store=TrackingStore(uri=f"sqlite:///{tmp_path}/file/mlflow.db", name="x"),
        tensorboard_folder=str(tmp_path / "file"),
        wandb_folder=str(tmp_path),
    )
    recipe = TrainingRecipe(
        trainer=TrainerConfig(), augmentation=AugmentationConfig(preset="none"), seed=1
    )
    training = TrackedTraining("a-run", recipe, dataset, tmp_path)
    refused = pytest.raises(ComponentError, match=rf"tracking\.{name}")
    with refused, Tracking(trackers(plan), training):
        pytest.fail("nothing may be trained")


def test_wandb_that_is_not_installed_is_a_sentence(logged, tmp_path, dataset, monkeypatch):
    monkeypatch.setattr("contracts.environment.optional_libraries.installed", lambda *names: ())
    tracking = TrackingConfig(mlflow={"enabled": False}, wandb=ON)
    chosen = trackers(logged.plan.model_copy(update={"tracking": tracking}))
    refused = pytest.raises(ComponentError, match=r"tracking\.wandb\.enabled: .*imgpipe\[wandb\]")
    with refused, Tracking(chosen, TrackedTraining("x", None, dataset, tmp_path)):
        pytest.fail("nothing may be trained")


def test_wandb_online_without_a_key_is_a_sentence_and_no_question(
    logged, dataset, tmp_path, monkeypatch
):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", "/nowhere")
    tracking = TrackingConfig(mlflow={"enabled": False}, wandb={**ON, "mode": "online"})
    chosen = trackers(logged.plan.model_copy(update={"tracking": tracking}))
    refused = pytest.raises(ComponentError, match=r"online: expected a key in WANDB_API_KEY")
    with refused, Tracking(chosen, TrackedTraining("x", None, dataset, tmp_path)):
        pytest.fail("nothing may be trained")


def test_the_signature_is_the_served_models(tmp_path, dataset):
    network = build_model(TrainerConfig(model_options={"filters": [2]}), dataset.size_px, 2)
    export(network, dataset, str(tmp_path / "model"))
    path = write_signature(tmp_path / "model", tmp_path)
    signature = ModelSignature.from_dict(json.loads(path.read_text()))
    assert signature.inputs.input_names() == ["image_bytes"]
    outputs = {spec.name: (spec.type.name, spec.shape) for spec in signature.outputs.inputs}
    assert outputs == {
        "all_classes": ("bytes", (-1, 2)),
        "label": ("bytes", (-1,)),
        "probabilities": ("float32", (-1, 2)),
        "score": ("float32", (-1,)),
    }


def test_a_runs_name_is_a_folders_name():
    assert run_name("my.models:build/it").endswith("-my.models-build-it")
