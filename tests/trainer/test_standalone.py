"""`imgpipe-train` trains on what a run trains on, and delivers what it can without TFX."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.pipeline_config import PipelineConfig
from contracts.system.errors import ConfigError
from tests.trainer.conftest import SIZE_PX
from tests.trainer.processes import (
    JAX,
    OTHER_BACKENDS,
    WITHOUT_TENSORFLOW,
    finished,
    started,
    training,
    two_machines,
)
from trainer import pictures
from trainer.__main__ import main
from trainer.standalone import AvailableOutputs, given_dataset, training_job

CONFIG = f"""\
name: stripes
seed: 1
data: {{root: nowhere}}
preprocessing: {{image_size_px: {SIZE_PX}}}
augmentation: {{preset: none}}
trainer:
  model_options: {{filters: [8], dropout: 0.0}}
  epochs: 2
  batch_size: 16
  callbacks: ["mine.py:Once"]
tracking:
  mlflow: {{system_metrics: false}}
  tensorboard: {{enabled: true}}
  csv: {{enabled: true}}
explanation: {{images: {{count: 2}}}}
"""
# Is interrupted in its second epoch, as long as there is a file `stops`.
MINE = """\
import pathlib
import keras

class Once(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and pathlib.Path(__file__).with_name("stops").exists():
            raise KeyboardInterrupt
"""


@pytest.fixture
def project(tmp_path) -> Path:
    """A config with a callback of the user's."""
    (tmp_path / "pipeline.yaml").write_text(CONFIG)
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def words(folder: Path, *uris: str) -> list[str]:
    config, output = folder / "pipeline.yaml", folder / "out"
    return ["--config", str(config), "--examples", *uris, "--output", str(output)]


def losses(folder: Path) -> list[float]:
    with (folder / "out" / "history.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def first_step(folder: Path) -> int:
    """Return the first step that was logged; it is the last one of an epoch."""
    with (folder / "out" / "steps.csv").open() as file:
        return int(next(csv.DictReader(file))["step"])


def test_it_is_followed_explained_and_goes_on(project, dataset, capsys, caplog, monkeypatch):
    seeds, whole = [], pictures.PictureData
    monkeypatch.setattr(pictures, "PictureData", lambda *of: seeds.append(of[-1]) or whole(*of))
    (project / "stops").touch()
    assert main(words(project, dataset.uri)) == 130
    said = "imgpipe-train: interrupted; started again it goes on from its last checkpoint.\n"
    assert capsys.readouterr().err.endswith(said)
    assert len(list((project / "out" / "state").iterdir())) == 1
    (project / "stops").unlink()
    assert main(words(project, dataset.uri)) == 0
    out = capsys.readouterr().out
    assert "Left out: SavedModel, evaluation and blessing (`imgpipe run` makes them)." in out
    assert first_step(project) == 12
    assert "MLflow: run " in out and "TensorBoard: run " in out
    record = json.loads((project / "out" / "training.json").read_text())
    assert losses(project) == pytest.approx(record["history"]["loss"])
    (run,) = MlflowClient(f"sqlite:///{project}/out/mlflow.db").search_runs(["1"])
    assert (run.info.status, run.info.run_id) == ("FINISHED", record["tracked"][0]["run_id"])
    assert list((project / "out" / "tensorboard").rglob("events*"))
    assert (project / "out" / "model_card" / "diagram.svg").exists()
    drawn = json.loads((project / "out" / "pictures" / "pictures.json").read_text())
    assert "grad_cam" in [one["name"] for one in drawn["pictures"]]
    assert seeds == [1]
    assert record["trained_in"] == ""
    assert main(words(project, dataset.uri)) == 0
    assert f"12 of 12 steps (nothing to train: done in run {run.info.run_name})" in caplog.text
    assert json.loads((project / "out" / "training.json").read_text())["trained_in"]


def test_it_ends_silently_where_nobody_reads_on(tmp_path, dataset):
    process = training(tmp_path, dataset)
    assert process.stdout.readline().startswith("Left out: ")
    process.stdout.close()
    assert process.wait(timeout=240) == 141
    # TensorFlow 2.21 says how it starts, whatever it is asked.
    errors = process.stderr.read()
    assert not re.search("Traceback|Error|[Bb]roken pipe|imgpipe", errors), errors
    process.stderr.close()


def test_changed_code_of_the_user_begins_anew(project, dataset):
    (project / "stops").touch()
    options = ["--set", "tracking.mlflow.enabled=false", "--set", "explanation.pictures=false"]
    assert main([*words(project, dataset.uri), *options]) == 130
    (project / "stops").unlink()
    (project / "mine.py").write_text(f"{MINE}\n# other code\n")
    assert main([*words(project, dataset.uri), *options]) == 0
    assert first_step(project) == 6


WITH_KERAS_AND_JAX_ALONE = f"""\
{WITHOUT_TENSORFLOW}
sys.modules["mlflow"] = sys.modules["matplotlib"] = None
"""


def test_what_cannot_be_delivered_is_said_at_the_start(project, dataset):
    pytest.importorskip("jax")
    out = finished(started(*words(project, dataset.uri), code=WITH_KERAS_AND_JAX_ALONE, **JAX))
    assert out.splitlines()[0] == (
        "Left out: tracking.mlflow (the package mlflow is not installed); tracking.tensorboard "
        "(TensorFlow writes it, Keras runs on jax); pictures (the package matplotlib is not "
        "installed); SavedModel, evaluation and blessing (`imgpipe run` makes them)."
    )
    assert len(losses(project)) == 2
    card = {path.name for path in (project / "out" / "model_card").iterdir()}
    assert card == {"card.json", "card.md", "summary.txt"}
    assert not (project / "out" / "pictures").exists()


@pytest.mark.parametrize(("code", "variables"), OTHER_BACKENDS)
def test_pictures_and_runs_without_tensorflow(project, dataset, code, variables):
    out = finished(started(*words(project, dataset.uri), code=code, **variables))
    assert "MLflow: run " in out
    drawn = json.loads((project / "out" / "pictures" / "pictures.json").read_text())
    assert drawn["left_out"] == []
    assert {"grad_cam", "feature_maps"} <= {one["name"] for one in drawn["pictures"]}
    assert (project / "out" / "model_card" / "diagram.svg").exists()


def test_of_two_machines_the_chief_delivers(project, dataset):
    workers = [started(*words(project, dataset.uri), **machine) for machine in two_machines()]
    outs = [finished(worker) for worker in workers]
    assert ["Left out: " in out for out in outs] == [True, False]
    assert ["MLflow: run " in out for out in outs] == [True, False]
    record = json.loads((project / "out" / "training.json").read_text())
    assert losses(project) == pytest.approx(record["history"]["loss"])
    assert (project / "out" / "model_card" / "diagram.svg").exists()
    drawn = json.loads((project / "out" / "pictures" / "pictures.json").read_text())
    assert drawn["left_out"] == []
    assert {"grad_cam", "feature_maps"} <= {one["name"] for one in drawn["pictures"]}
    assert len(MlflowClient(f"sqlite:///{project}/out/mlflow.db").search_runs(["1"])) == 1


def test_a_wrong_call_is_a_sentence(tmp_path, dataset):
    process = training(tmp_path, dataset, "--set=trainer.epochs=0", "--set=trainer.devices=gpu")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == (
        "imgpipe-train: --set trainer.epochs=0: trainer.epochs: expected an integer >= 1, "
        "received 0.\n"
    )
    process = training(tmp_path, dataset, "--set=trainer.devices=multi_worker")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "expected the addresses of two or more workers in TF_CONFIG" in err
    assert "Traceback" not in err


def config_of(size_px: int = SIZE_PX, **augmentation) -> PipelineConfig:
    return PipelineConfig.model_validate(
        {
            "name": "x",
            "data": {"root": "/"},
            "preprocessing": {"image_size_px": size_px},
            "augmentation": augmentation,
        }
    )


WITH_COPIES = config_of(materialise={"min_examples": 60})


def test_it_trains_on_the_copies_that_the_config_has_made(dataset, copies):
    folders = [Path(copies.uri), Path(dataset.uri)]
    united = given_dataset(folders, WITH_COPIES)
    assert united == ImageDataset.unite([dataset.uri, copies.uri])
    assert united.examples["train"] == dataset.examples["train"] + 16
    assert given_dataset([Path(dataset.uri)], config_of()) == dataset


@pytest.mark.parametrize(
    ("given", "config", "said"),
    [
        (["data"], WITH_COPIES, r"min_examples: 60, received none. `imgpipe run --to Augmenter`"),
        (["data", "copies"], config_of(), "no changed copies .*Leave them out, or set"),
        (["copies"], WITH_COPIES, "one folder of transformed examples.* received 0"),
        (["data", "gone"], WITH_COPIES, r"with image_dataset\.json, received .*gone\. "),
        (["data"], config_of(size_px=32), "with this preprocessing: .*32.* received .*16"),
        (["data", "strange"], WITH_COPIES, "copies of the same classes"),
    ],
)
def test_folders_that_the_config_does_not_train_on(dataset, copies, tmp_path, given, config, said):
    strange = replace(copies, uri=str(tmp_path), labels=("other", "classes"))
    strange.write()
    folders = {"data": dataset.uri, "copies": copies.uri, "strange": tmp_path, "gone": "/gone"}
    with pytest.raises(ConfigError, match=f"^--examples: .*{said}"):
        given_dataset([Path(folders[name]) for name in given], config)


def test_other_copies_are_another_training_and_the_same_elsewhere_are_not(
    dataset, copies, tmp_path
):
    def key(*uris: str | Path) -> str:
        outputs = AvailableOutputs.of(WITH_COPIES.tracking)
        united = ImageDataset.unite(map(str, uris))
        made = training_job(WITH_COPIES, united, tmp_path / "out", outputs)
        return made.checkpoint.folder.name

    elsewhere = tmp_path / Path(copies.uri).name
    others = tmp_path / "7"
    for place in (elsewhere, others):
        place.symlink_to(copies.uri)
    assert key(dataset.uri, elsewhere) == key(dataset.uri, copies.uri)
    assert key(dataset.uri, others) != key(dataset.uri, copies.uri)
