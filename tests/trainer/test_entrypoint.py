"""A training that was interrupted goes on, also with other trackers and pictures."""

import csv
import importlib.util
import json
from pathlib import Path

import pytest
import tensorflow as tf
from mlflow.tracking import MlflowClient

from contracts.artifacts.training_record import TrainingRecord
from contracts.config.explanation import ExplanationConfig
from pipeline.report.model_card import read_card
from tests.trainer.trainer_component import ON, PICTURES, Trainer
from tests.trainer.training.test_train import recipe

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
SAYS_NOTHING = """\
import keras

class Model(keras.Sequential):
    def summary(self, *args, **kwargs):
        raise RuntimeError("not a word")

def build(size_px, classes):
    return Model([
        keras.Input((size_px, size_px, 3)),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(classes, activation="softmax"),
    ])
"""

HAS_WANDB = importlib.util.find_spec("wandb") is not None


@pytest.fixture(scope="module")
def resumed(dataset, tmp_path_factory) -> Trainer:
    """Return one that was interrupted and has gone on with other trackers and pictures."""
    folder = tmp_path_factory.mktemp("entrypoint")
    (folder / "mine.py").write_text(STOPS_ONCE.format(flag=str(folder / "flag")))
    trained = recipe(epochs=4, callbacks=[f"{folder}/mine.py:Once"])
    trainer = Trainer(folder, dataset.uri)
    mlflow = {"mlflow": {"system_metrics": False}}
    with pytest.raises(KeyboardInterrupt):
        trainer.run("first", trained, ExplanationConfig(pictures=False), **mlflow)
    (interrupted,) = MlflowClient(trainer.store.uri).search_runs(["1"])
    assert interrupted.info.status == "FAILED"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WANDB_API_KEY", raising=False)
        patch.setenv("NETRC", "/nowhere")
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        others = {"tensorboard": ON, "csv": ON, "wandb": {"enabled": HAS_WANDB}}
        trainer.run("second", trained, ExplanationConfig(images={"count": 2}), **mlflow, **others)
    return trainer


def test_a_change_of_tracking_and_explanation_lets_a_training_go_on(resumed):
    record = TrainingRecord.read(str(resumed.folder / "second"))
    (run_afterwards,) = MlflowClient(resumed.store.uri).search_runs(["1"])
    assert record.mlflow_run_id == run_afterwards.info.run_id
    assert run_afterwards.info.status == "FINISHED"
    with (resumed.folder / "second" / "history.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses == pytest.approx(record.history["loss"])
    assert len(losses) == 4
    assert (record.precision, record.batch_size) == ("float32", 16)
    assert {one.trouble for one in record.tracked} == {""}
    assert json.loads((resumed.folder / "second" / "model_signature.json").read_text())
    (kept,) = (resumed.folder / "checkpoints").iterdir()
    assert not (kept / "state.npz").exists()


def drawn(trainer: Trainer) -> dict[str, bytes]:
    """Return the pictures that lie beside the model, where the tables of CSV do too."""
    folder = trainer.folder / "second" / "pictures"
    return {name: (folder / f"{name}.png").read_bytes() for name in PICTURES}


def test_the_pictures_of_a_training_and_its_card_are_in_mlflow(resumed):
    client = MlflowClient(resumed.store.uri)
    run_id = TrainingRecord.read(str(resumed.folder / "second")).mlflow_run_id
    kept = Path(client.download_artifacts(run_id, "", str(resumed.folder)))
    assert {name: (kept / "pictures" / f"{name}.png").read_bytes() for name in PICTURES} == drawn(
        resumed
    )
    card = resumed.folder / "second" / "model_card" / "card.json"
    assert (kept / "model_card" / "card.json").read_bytes() == card.read_bytes()


def test_the_pictures_of_a_training_are_in_tensorboard(resumed):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (run,) = (resumed.folder / "tensorboard").iterdir()
    read = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0}).Reload()
    for name, png in drawn(resumed).items():
        *_, shown = tf.make_ndarray(read.Tensors(name)[0].tensor_proto)
        pixels, wanted = (tf.io.decode_png(one, channels=3) for one in (shown, png))
        assert tf.reduce_all(pixels == wanted), name


@pytest.mark.skipif(not HAS_WANDB, reason="wandb is not installed")
def test_the_pictures_of_a_training_are_in_wandb_offline(resumed):
    (run,) = (resumed.folder / "wandb").glob("offline-run-*")
    media = run / "files" / "media" / "images" / "pictures"
    for name, png in drawn(resumed).items():
        (file,) = media.glob(f"{name}_*.png")
        assert file.read_bytes() == png


def test_the_report_shows_the_card_of_a_training(resumed):
    card = read_card(resumed.folder / "second")
    record = TrainingRecord.read(str(resumed.folder / "second"))
    assert (card["name"], card["parameters"]) == ("cnn", record.parameters)
    assert card["diagram"].startswith("data:image/svg+xml;base64,")
    assert read_card(resumed.folder / "first") is None


def test_a_model_that_cannot_be_described_is_trained_all_the_same(dataset, tmp_path, caplog):
    (tmp_path / "net.py").write_text(SAYS_NOTHING)
    silent = recipe(model=f"{tmp_path}/net.py:build", model_options={}, epochs=1)
    trainer = Trainer(tmp_path, dataset.uri)
    folder = trainer.run(
        "run", silent, ExplanationConfig(pictures=False), mlflow={"enabled": False}
    )
    assert read_card(folder) == {"reason": "RuntimeError: not a word"}
    assert [path.name for path in (folder / "model_card").iterdir()] == ["no_card.txt"]
    assert "not a word" in caplog.text
    assert TrainingRecord.read(str(folder)).steps == 6
    assert (tmp_path / "run-model" / "saved_model.pb").is_file()
