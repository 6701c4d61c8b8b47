"""A run that is killed or fails leaves a workspace that the next run can use."""

import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from mlflow.tracking import MlflowClient
from PIL import Image

from contracts.artifacts.image_dataset import ImageDataset
from contracts.artifacts.training_record import TrainingRecord
from contracts.config.loading.loader import load_config
from contracts.config.variation import training_recipe
from tests.e2e.conftest import IMGPIPE, Project, noise_project
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import train

STEPS_AN_EPOCH = 48  # of 96 images in batches of 2

EPOCHS = 8

# A training that ends only when it is stopped.
ENDLESS = ("--set", "trainer.epochs=100000", "--set", "trainer.early_stopping_patience=0")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return noise_project(tmp_path_factory.mktemp("interrupted"))


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[subprocess.Popen]:
    """Give a run that is going on; what is left of it at the end is killed."""
    process = subprocess.Popen(
        [str(IMGPIPE), "run", *arguments],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where the tests themselves run in the background, Ctrl-C is ignored and that is inherited.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen, words: str) -> None:
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"the run ended before {words!r}")


def unfinished(project: Project) -> int:
    with sqlite3.connect(project.workspace / "metadata.db") as database:
        query = "select count(*) from Execution where last_known_state in (1, 2)"
        return database.execute(query).fetchone()[0]


def test_killed_in_training_then_run_again(project):
    with started(project, *ENDLESS) as process:
        wait_for(process, "Trainer: ")  # its progress, for it never ends
        os.killpg(process.pid, signal.SIGKILL)
    assert unfinished(project) >= 1  # what runs beside the training may be among them
    status = project.command("status")
    assert status.code == 1
    assert "killed" in status.out
    again = project.run()
    assert again.code == 0, again.err
    assert unfinished(project) == 0
    components = again.summary["components"]
    assert components["ImageTransform"]["cached"]
    assert not components["Trainer"]["cached"]
    models = list((project.workspace / "pipeline" / "Trainer" / "model").iterdir())
    assert len(models) == 1, "the killed training left a half-written model"
    assert again.summary["metrics"]["accuracy"] > 0.9


def test_killed_in_the_middle_of_an_epoch_it_goes_on_to_the_same_weights(project):
    values = {
        "trainer.epochs": EPOCHS,
        "trainer.batch_size": 2,
        "trainer.early_stopping_patience": 0,
        "trainer.checkpoint_every_s": 0.01,
        "trainer.ema_momentum": 0.9,
    }
    options = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    checkpoints = project.workspace / "checkpoints"
    others = set(checkpoints.iterdir()) if checkpoints.is_dir() else set()  # of other recipes
    saved = 0
    with started(project, *options) as process:
        wait_for(process, "ImageValidator: ")
        while saved < STEPS_AN_EPOCH or saved % STEPS_AN_EPOCH == 0:
            os.killpg(process.pid, signal.SIGCONT)
            time.sleep(0.05)
            assert process.poll() is None
            os.killpg(process.pid, signal.SIGSTOP)  # so that what is read is what is left
            states = [path for path in checkpoints.glob("*/state.npz") if path.parent not in others]
            found = [Checkpoint(path.parent).progress() for path in states]
            saved = max((one.step for one in found if one), default=0)
        os.killpg(process.pid, signal.SIGKILL)
    result = project.command("run", "--json", *options)
    assert result.code == 0, result.err
    log = max((project.workspace / "runs").iterdir()) / "run.log"
    (step,) = re.findall(r"The training goes on after step ([\d,]+)", log.read_text())
    assert int(step.replace(",", "")) == saved
    newest = newest_of(project, "Trainer/model_run")
    record = TrainingRecord.read(str(newest))
    assert record.steps == EPOCHS * STEPS_AN_EPOCH
    assert len(record.history["loss"]) == EPOCHS
    client = MlflowClient(f"sqlite:///{project.workspace}/mlflow.db")
    run = client.get_run(record.mlflow_run_id)
    assert run.info.status == "FINISHED"
    told = client.get_metric_history(record.mlflow_run_id, "loss")
    assert [one.step for one in told] == list(range(1, EPOCHS + 1))
    runs = client.search_runs([run.info.experiment_id], f"params.`trainer.epochs` = '{EPOCHS}'")
    assert len(runs) == 1
    (kept,) = set(checkpoints.iterdir()) - others
    assert (kept / "finished.json").is_file()
    assert not (kept / "state.npz").exists()

    dataset = ImageDataset.read(str(newest_of(project, "ImageTransform/transformed_examples")))
    config = load_config(project.folder / "pipeline.yaml", options[1::2])
    whole = Checkpoint(project.folder / "whole")
    trained = train(training_recipe(config), dataset, (), whole)
    whole.copy_weights(project.folder / "whole-weights", trained.best_epoch)
    assert trained.best_epoch == record.best_epoch
    for name in ("best", "last"):
        weights = [
            weights_in(folder / f"{name}.weights.h5")
            for folder in (newest / "weights", project.folder / "whole-weights")
        ]
        assert weights[0].keys() == weights[1].keys()
        for key, values in weights[0].items():
            np.testing.assert_array_equal(values, weights[1][key], err_msg=f"{name}: {key}")


def weights_in(path: Path) -> dict[str, np.ndarray]:
    found = {}

    def keep(name: str, one: h5py.Dataset | h5py.Group) -> None:
        if isinstance(one, h5py.Dataset):
            found[name] = one[()]

    with h5py.File(path) as file:
        file.visititems(keep)
    return found


def newest_of(project: Project, artifact: str) -> Path:
    return max((project.workspace / "pipeline" / artifact).iterdir(), key=number_of)


def number_of(folder: Path) -> int:
    return int(folder.name)


def test_control_c_ends_with_a_line_and_the_next_run_goes_on(project):
    with started(project, *ENDLESS) as process:
        wait_for(process, "Trainer: ")
        os.killpg(process.pid, signal.SIGINT)
        _, rest = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in rest
    again = project.run()
    assert again.code == 0, again.err
    assert unfinished(project) == 0


def test_a_disk_that_fills_up_stops_the_run_and_loses_nothing(project, mounted_disk):
    disk = mounted_disk(size_mib=80)
    workspace = ("--workspace", str(disk / "workspace"))
    with started(project, *workspace) as process:
        wait_for(process, "ImageExampleGen: done")
        with (
            pytest.raises(OSError, match="No space left"),
            (disk / "filler").open("wb", buffering=0) as filler,
        ):
            while True:
                filler.write(bytes(2**20))
        out, err = process.communicate(timeout=300)
    assert process.returncode == 2, (out, err)
    assert "no space left on the disk" in err.splitlines()[-1]
    assert "Traceback" not in out + err
    (disk / "filler").unlink()
    again = project.run(*workspace)
    assert again.code == 0, again.err
    assert again.summary["components"]["ImageExampleGen"]["cached"]


def test_a_component_that_fails_is_named_with_cause_and_log(project):
    result = project.command("run", "--set", "trainer.learning_rate=1.0e+30")
    assert result.code == 1
    assert "Traceback" not in result.out + result.err
    said = " ".join(result.out.split())
    assert "Trainer failed" in said
    assert "NaN or infinite" in said
    summary = project.command("status", "--json").summary
    assert summary["status"] == "failed"
    assert summary["components"]["Trainer"]["state"] == "failed"
    assert "ModelPusher" not in summary["components"]
    log = project.workspace / "runs" / summary["run_id"] / "run.log"
    assert str(log) in result.out.replace("\n", "")
    assert "Traceback" in log.read_text()


def test_odd_files_are_quarantined_and_the_counts_add_up(project):
    photos = project.folder / "photos"
    (photos / "bright" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (photos / "dark" / "copy.png").write_bytes((photos / "bright" / "0.png").read_bytes())
    (photos / "nothing").mkdir()
    result = project.run("--to", "ImageTransform")
    assert result.code == 0, result.err
    data = result.summary["data"]
    assert (data["found"], data["ingested"], data["quarantined"]) == (122, 121, 1)
    assert sum(data["quarantine_reasons"].values()) == 1
    assert sum(data["splits"].values()) == 121
    transformed = project.workspace / "pipeline" / "ImageTransform" / "transformed_examples"
    newest = max(transformed.iterdir(), key=lambda folder: int(folder.name))
    assert Path(newest, "image_dataset.json").is_file()


def contents(workspace: Path) -> dict[str, bytes]:
    """Return the bytes of every file of the newest ingestion, by artifact and path in it."""
    found = {}
    for key in ("examples", "manifest"):
        folders = (workspace / "pipeline" / "ImageExampleGen" / key).iterdir()
        newest = max(folders, key=lambda folder: int(folder.name))
        files = (path for path in newest.rglob("*") if path.is_file())
        found |= {f"{key}/{path.relative_to(newest)}": path.read_bytes() for path in files}
    return found


def test_killed_in_ingestion_then_run_again_gives_the_same_bytes(tmp_path):
    rng = np.random.default_rng(1)
    for index in range(1200):
        path = tmp_path / "photos" / ("bright", "dark")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (96, 96, 3)).astype(np.uint8)).save(path)
    (tmp_path / "photos" / "dark" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "pipeline.yaml").write_text("name: toys\ndata: {root: photos}\n")
    project = Project(tmp_path)
    undisturbed = tmp_path / "undisturbed"
    up_to = ("--to", "ImageExampleGen")
    with started(project, *up_to) as process:
        early = project.workspace / "early-ingestion"
        until_s = time.monotonic() + 60
        while not list(early.rglob(".data_tfrecord*")):
            assert time.monotonic() < until_s and process.poll() is None
            time.sleep(0.01)
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGKILL)
    assert list(early.rglob("*")), "it was killed too late"
    assert project.run(*up_to).code == 0
    assert project.run(*up_to, "--workspace", undisturbed).code == 0
    again, whole = contents(project.workspace), contents(undisturbed)
    assert again.keys() == whole.keys()
    assert again == whole
    data = project.command("status", "--json").summary["data"]
    assert (data["found"], data["ingested"], data["quarantined"]) == (1201, 1200, 1)
    assert not early.exists()
