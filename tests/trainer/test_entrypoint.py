"""TFX's way into the trainer: what was interrupted goes on, whatever follows it by then."""

import csv
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf
from mlflow.tracking import MlflowClient

from contracts.artifacts.training_record import TrainingRecord
from contracts.config.explanation import ExplanationConfig
from contracts.config.tracking import TrackingConfig, TrackingPlan, TrackingStore
from contracts.config.trainer.config import TrainingRecipe
from pipeline.report.model_card import read_card
from tests.trainer.training.test_train import recipe
from trainer.entrypoint import run_fn

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

ON = {"enabled": True}
PICTURES = {"sample_predictions", "confusion_matrix", "learning_curves"}
HAS_WANDB = importlib.util.find_spec("wandb") is not None


@dataclass(frozen=True)
class Trainer:
    """A component whose checkpoints and trackers lie in a folder."""

    folder: Path
    dataset_uri: str

    @property
    def store(self) -> TrackingStore:
        """Where MLflow keeps what it is told."""
        return TrackingStore(
            uri=f"sqlite:///{self.folder}/mlflow.db",
            name="stripes",
            artifact_location=(self.folder / "artifacts").as_uri(),
        )

    def run(
        self, name: str, trained: TrainingRecipe, explanation: ExplanationConfig, **trackers: dict
    ) -> Path:
        """Return the folder of the ModelRun artifact."""
        plan = TrackingPlan(
            tracking=TrackingConfig(**trackers),
            store=self.store,
            tensorboard_folder=str(self.folder / "tensorboard"),
            wandb_folder=str(self.folder),
        )
        told = {
            "recipe": trained.model_dump_json(),
            "tracking": plan.model_dump_json(),
            "explanation": explanation.model_dump_json(),
            "checkpoints": str(self.folder / "checkpoints"),
            "code_digest": "code",
            "training_digest": "training",
        }
        run_fn(
            SimpleNamespace(
                custom_config=told,
                train_files=[f"{self.dataset_uri}/Split-train/*"],
                model_run_dir=str(self.folder / name),
                serving_model_dir=str(self.folder / f"{name}-model"),
            )
        )
        return self.folder / name


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


def rows(folder: Path) -> list[dict[str, str]]:
    """Return the epochs in the table of CSV."""
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


COUNTS_EPOCHS = """\
import pathlib
import keras

class Count(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        with pathlib.Path({counted!r}).open("a") as file:
            file.write(f"{{epoch}}\\n")
        self.model.stop_training = epoch == 1
"""


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory) -> Trainer:
    """Return one whose training has ended, by a callback, and was then followed by CSV too."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "mine.py").write_text(COUNTS_EPOCHS.format(counted=str(folder / "counted")))
    trained = recipe(epochs=4, callbacks=[f"{folder}/mine.py:Count"])
    trainer = Trainer(folder, dataset.uri)
    mlflow = {"mlflow": {"system_metrics": True}}
    trainer.run("first", trained, ExplanationConfig(pictures=False), **mlflow)
    others = {"csv": ON, "tensorboard": ON}
    trainer.run("second", trained, ExplanationConfig(images={"count": 2}), **mlflow, **others)
    return trainer


def test_a_tracker_that_is_switched_on_after_the_training_trains_nothing(finished):
    assert (finished.folder / "counted").read_text() == "0\n1\n"
    first, second = (
        TrainingRecord.read(str(finished.folder / name)) for name in ("first", "second")
    )
    (run,) = MlflowClient(finished.store.uri).search_runs(["1"])
    assert (first.trained_in, second.trained_in) == ("", run.info.run_name)
    assert second.mlflow_run_id == first.mlflow_run_id
    for name in ("history", "best_epoch", "seconds", "steps", "devices", "precision"):
        assert getattr(second, name) == getattr(first, name), name
    assert {one.trouble for one in second.tracked} == {""}


def test_its_model_is_the_same_to_the_bit(finished):
    for name in ("best", "last"):
        first, second = (
            finished.folder / run / "weights" / f"{name}.weights.h5" for run in ("first", "second")
        )
        assert first.read_bytes() == second.read_bytes()
    outputs = []
    for run in ("first", "second"):
        model = tf.saved_model.load(str(finished.folder / f"{run}-model"))
        png = tf.io.encode_png(tf.reshape(tf.range(768) % 251, (16, 16, 3)).numpy().astype("uint8"))
        served = model.signatures["serving_default"](image_bytes=png[tf.newaxis])
        outputs.append(served["probabilities"].numpy().tobytes())
    assert outputs[0] == outputs[1]


def test_what_it_is_given_was_measured(finished):
    client = MlflowClient(finished.store.uri)
    (run,) = client.search_runs(["1"])
    table = rows(finished.folder / "second")
    assert [int(row["epoch"]) for row in table] == [1, 2]
    for name in ("loss", "val_loss", "learning_rate", "epoch_seconds"):
        logged = client.get_metric_history(run.info.run_id, name)
        assert [one.step for one in logged] == [1, 2], name
        assert [float(row[name]) for row in table] == [one.value for one in logged], name
    assert not (finished.folder / "second" / "steps.csv").exists()
    assert run.info.status == "FINISHED"


def test_a_run_that_began_after_the_training_says_so(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (run,) = (finished.folder / "tensorboard").iterdir()
    (ran,) = MlflowClient(finished.store.uri).search_runs(["1"])
    assert run.name == ran.info.run_name
    read = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0}).Reload()
    (note,) = read.Tensors("note")
    (text,) = tf.make_ndarray(note.tensor_proto).reshape(-1)
    assert text.startswith(b"The first 2 epochs were logged after they had ended, at ")
    assert "mlflow.note.content" not in ran.data.tags


def test_its_pictures_are_drawn_from_the_trained_model(finished):
    assert not (finished.folder / "first" / "pictures").exists()
    assert {path.stem for path in (finished.folder / "second" / "pictures").iterdir()} >= PICTURES
