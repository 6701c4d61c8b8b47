"""A tracker or picture that is asked for after a training has ended trains nothing."""

import csv
from pathlib import Path

import pytest
import tensorflow as tf
from mlflow.tracking import MlflowClient

from contracts.artifacts.training_record import TrainingRecord
from contracts.config.explanation import ExplanationConfig
from tests.trainer.trainer_component import ON, PICTURES, Trainer
from tests.trainer.training.test_train import recipe


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
