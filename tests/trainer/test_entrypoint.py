"""TFX's way into the trainer: what was interrupted goes on, whatever follows it by then."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlflow.tracking import MlflowClient

from contracts.explanation import ExplanationConfig
from contracts.tracking import TrackingConfig, TrackingPlan, TrackingStore
from tests.trainer.test_train import recipe
from trainer.entrypoint import run_fn
from trainer.record import TrainingRecord

STOPS_ONCE = """\
import pathlib
import keras

class Once(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        flag = pathlib.Path({flag!r})
        if epoch == 2 and not flag.exists():
            flag.touch()
            raise KeyboardInterrupt
"""


def test_a_change_of_tracking_and_explanation_lets_a_training_go_on(dataset, tmp_path):
    (tmp_path / "mine.py").write_text(STOPS_ONCE.format(flag=str(tmp_path / "flag")))
    trained = recipe(epochs=4, callbacks=[f"{tmp_path}/mine.py:Once"])
    store = TrackingStore(
        uri=f"sqlite:///{tmp_path}/mlflow.db",
        name="stripes",
        artifact_location=(tmp_path / "artifacts").as_uri(),
    )

    def run(name: str, explanation: ExplanationConfig, **trackers: dict) -> Path:
        tracking = TrackingConfig(mlflow={"system_metrics": False}, **trackers)
        plan = TrackingPlan(
            tracking=tracking,
            store=store,
            tensorboard_folder=str(tmp_path / "tensorboard"),
            wandb_folder=str(tmp_path),
        )
        told = {
            "recipe": trained.model_dump_json(),
            "tracking": plan.model_dump_json(),
            "explanation": explanation.model_dump_json(),
            "checkpoints": str(tmp_path / "checkpoints"),
            "code_digest": "code",
            "users_digest": "users",
        }
        run_fn(
            SimpleNamespace(
                custom_config=told,
                train_files=[f"{dataset.uri}/Split-train/*"],
                model_run_dir=str(tmp_path / name),
                serving_model_dir=str(tmp_path / f"{name}-model"),
            )
        )
        return tmp_path / name

    with pytest.raises(KeyboardInterrupt):
        run("first", ExplanationConfig())
    client = MlflowClient(store.uri)
    (interrupted,) = client.search_runs(["1"])
    assert interrupted.info.status == "FAILED"
    folder = run("second", ExplanationConfig(pictures=False), csv={"enabled": True})
    record = TrainingRecord.read(str(folder))
    assert record.mlflow_run_id == interrupted.info.run_id
    (run_afterwards,) = client.search_runs(["1"])
    assert run_afterwards.info.status == "FINISHED"
    with (folder / "history.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses == pytest.approx(record.history["loss"])
    assert len(losses) == 4
    assert (record.precision, record.batch_size) == ("float32", 16)
    assert json.loads((folder / "model_signature.json").read_text())
    assert list((tmp_path / "checkpoints").iterdir()) == []
