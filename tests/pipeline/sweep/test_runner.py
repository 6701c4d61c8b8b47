"""A sweep trains seed by seed, keeps its results, and goes on where it was stopped."""

import io
import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.preprocessing import PreprocessingConfig
from contracts.config.tracking import MlflowConfig, TrackingConfig
from contracts.system.errors import ComponentError, InputError, WorkspaceError
from pipeline.sweep import runner
from pipeline.sweep.runner import SweepPlan, run_sweep
from pipeline.sweep.sweep_record import SWEEP_FILE, read_record
from pipeline.sweep.table import print_sweep, sentence
from pipeline.sweep.training_process import TrainingResult
from pipeline.sweep.variants import combinations, with_and_without_augmentation

CONFIG = PipelineConfig(name="x", data={"root": Path("/")})


class Runs:
    """Stands in for MLflow."""

    def __init__(self) -> None:
        self.run_id = "parent"
        self.added = []
        self.ended = []

    def add(self, *training) -> None:
        self.added.append(training)

    def __enter__(self) -> "Runs":
        return self

    def __exit__(self, error_type, *_) -> None:
        self.ended.append(error_type)


@pytest.fixture
def runs(monkeypatch) -> Runs:
    runs = Runs()
    monkeypatch.setattr(runner, "_nested_runs", lambda *_: runs)
    return runs


@pytest.fixture
def trainings(monkeypatch):
    """Return the trainings that ran; `fails` and `stops` say in which one something happens."""

    class Trainings(list):
        fails = stops = -1

    trained = Trainings()
    trained.uris = []

    def train(recipe, dataset_uris, split):
        trained.uris.append(dataset_uris)
        at = len(trained)
        if at == trained.stops:
            raise KeyboardInterrupt
        trained.append((recipe.trainer.batch_size, recipe.seed))
        if at == trained.fails:
            raise ComponentError("Trainer: no memory.")
        accuracy = {8: 0.5, 16: 0.7}[recipe.trainer.batch_size] + recipe.seed / 100
        accuracy += 0.01 * (recipe.trainer.batch_size == 16 and recipe.seed == 1)
        return TrainingResult(accuracy, 1 - accuracy, 1, {"loss": [2.0, 1.0]}, 0.1)

    monkeypatch.setattr(runner, "train_in_process", train)
    return trained


@pytest.fixture
def sweep_of(tmp_path):
    """Return `sweep_of(seeds)`: two batch sizes on 50 validation images."""
    counts = {"train": (40, 40), "validation": (20, 30)}
    ImageDataset(str(tmp_path), ("a", "b"), PreprocessingConfig(), counts).write()

    def sweep(seeds: int, split: str = "validation", metric: str = "accuracy") -> SweepPlan:
        variants = combinations(CONFIG, ["trainer.batch_size=8,16"], Path("/"))
        return SweepPlan(variants, range(seeds), str(tmp_path), split, metric)

    return sweep


def test_pairs_come_seed_by_seed_and_the_verdict_from_all(trainings, runs, sweep_of, tmp_path):
    record, folder = run_sweep(sweep_of(3), tmp_path / "w")
    assert trainings == [(8, 0), (16, 0), (8, 1), (16, 1), (8, 2), (16, 2)]
    baseline, variant = record.results
    assert (baseline.spread.mean, baseline.difference) == (pytest.approx(0.51), None)
    assert variant.difference.mean == pytest.approx(0.2 + 0.01 / 3)
    assert variant.difference.verdict == "helps"
    assert read_record(folder) == record
    assert sentence(record, variant).startswith("batch_size 16 against batch_size 8: helps (+0.20")
    assert [name for name, *_ in runs.added][:2] == [
        "batch_size 8, seed 0",
        "batch_size 16, seed 0",
    ]
    assert runs.added[1][1]["trainer.batch_size"] == 16
    assert runs.ended == [None]


def test_a_sweep_that_was_stopped_goes_on(trainings, runs, sweep_of, tmp_path):
    trainings.stops = 3
    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep_of(2), tmp_path / "w")
    assert runs.ended == [KeyboardInterrupt]
    trainings.stops = -1
    run_sweep(sweep_of(2), tmp_path / "w")
    assert trainings == [(8, 0), (16, 0), (8, 1), (16, 1)]
    run_sweep(sweep_of(2), tmp_path / "w")
    assert len(trainings) == 4
    record, _ = run_sweep(sweep_of(3, metric="loss"), tmp_path / "w")
    assert trainings[4:] == [(8, 2), (16, 2)]
    assert record.results[1].difference.verdict == "helps"
    assert record.results[1].difference.mean < 0


def test_a_failed_training_is_reported_and_tried_again(trainings, runs, sweep_of, tmp_path):
    trainings.fails = 1
    record, folder = run_sweep(sweep_of(2), tmp_path / "w")
    why = f"Trainer: no memory. Log: {folder / 'sweep.log'}"
    assert record.results[1].failed == 1
    assert (record.results[1].spread.count, record.results[1].difference.count) == (1, 1)
    assert "unclear with one seed" in sentence(record, record.results[1])
    printed = io.StringIO()
    print_sweep(record, printed)
    assert f"Failed: batch_size 16, seed 0: {why}" in printed.getvalue()
    assert (folder / "sweep.log").is_file()
    assert runs.added[1][4] == why
    trainings.fails = -1
    record, _ = run_sweep(sweep_of(2), tmp_path / "w")
    assert trainings[4:] == [(16, 0)]
    assert record.results[1].failed == 0
    assert len(record.trainings) == 4


def test_a_training_with_a_nan_in_its_history_is_not_trained_again(
    trainings, runs, sweep_of, tmp_path, monkeypatch
):
    whole = runner.train_in_process

    def with_nan(*given):
        return replace(whole(*given), history={"val_loss": [math.nan, 1.0]})

    monkeypatch.setattr(runner, "train_in_process", with_nan)
    run_sweep(sweep_of(1), tmp_path / "w")
    record, folder = run_sweep(sweep_of(1), tmp_path / "w")
    assert trainings == [(8, 0), (16, 0)]
    first, second = record.trainings[0].history["val_loss"]
    assert math.isnan(first) and second == 1.0
    assert "NaN" not in (folder / SWEEP_FILE).read_text()  # it is JSON


def test_a_network_whose_loss_is_no_number_has_failed(
    trainings, runs, sweep_of, tmp_path, monkeypatch
):
    whole = runner.train_in_process
    monkeypatch.setattr(
        runner, "train_in_process", lambda *given: replace(whole(*given), loss=math.nan)
    )
    record, _ = run_sweep(sweep_of(1), tmp_path / "w")
    assert {one.status for one in record.trainings} == {"failed"}
    assert "the loss on validation is NaN or infinite" in record.trainings[0].why


def test_a_record_that_cannot_be_read_is_reported_and_stays(trainings, runs, sweep_of, tmp_path):
    _, folder = run_sweep(sweep_of(1), tmp_path / "w")
    path = folder / SWEEP_FILE
    spoilt = path.read_text().replace('"seconds": 0.1', '"seconds": "x"')
    path.write_text(spoilt)
    with pytest.raises(WorkspaceError, match=r"sweep\.json: .*\(trainings\.0\.seconds"):
        run_sweep(sweep_of(1), tmp_path / "w")
    assert path.read_text() == spoilt
    assert len(trainings) == 2


def test_a_failure_of_a_seed_that_is_not_asked_for_does_not_count(
    trainings, runs, sweep_of, tmp_path
):
    trainings.fails = 3
    record, _ = run_sweep(sweep_of(2), tmp_path / "w")
    assert [one.seed for one in record.failed()] == [1]
    trainings.fails = -1
    record, _ = run_sweep(sweep_of(1), tmp_path / "w")
    assert (record.failed(), record.results[1].failed) == ([], 0)
    printed = io.StringIO()
    print_sweep(record, printed)
    assert "Failed" not in printed.getvalue()
    assert len(record.trainings) == 4  # what is known stays


@pytest.mark.parametrize("lost_in", [1, 3])
def test_what_mlflow_did_not_take_is_tracked_first_the_next_time(
    trainings, runs, sweep_of, tmp_path, monkeypatch, lost_in
):
    def lose(*training):
        if len(runs.added) == lost_in:
            raise ComponentError("tracking.mlflow.uri: nobody answers.")
        runs.added.append(training)

    with monkeypatch.context() as patched:
        patched.setattr(runs, "add", lose)
        with pytest.raises(ComponentError, match="nobody answers"):
            run_sweep(sweep_of(2), tmp_path / "w")
    assert len(trainings) == lost_in + 1
    for _ in range(2):
        record, _ = run_sweep(sweep_of(2), tmp_path / "w")
    assert all(training.is_tracked for training in record.trainings)
    assert trainings == [(8, 0), (16, 0), (8, 1), (16, 1)]
    assert [(one["trainer.batch_size"], one["seed"]) for _, one, *_ in runs.added] == trainings


def test_trainings_in_a_deleted_mlflow_run_are_tracked_in_the_new_one(
    trainings, runs, sweep_of, tmp_path
):
    run_sweep(sweep_of(1), tmp_path / "w")
    runs.run_id, runs.added = "another", []
    record, _ = run_sweep(sweep_of(2), tmp_path / "w")
    assert record.mlflow_run_id == "another"
    assert len(runs.added) == 4
    assert len(trainings) == 4


def test_without_mlflow_all_trainings_are_recorded(trainings, sweep_of, tmp_path, monkeypatch):
    # The one who imports MLflow.
    monkeypatch.setitem(sys.modules, "trainer.search.nested_runs", None)
    tracking = TrackingConfig(mlflow=MlflowConfig(enabled=False, uri="http://localhost:1"))
    config = CONFIG.model_copy(update={"tracking": tracking})
    variants = combinations(config, ["trainer.batch_size=8,16"], Path("/"))
    sweep = SweepPlan(variants, range(2), *list(vars(sweep_of(2)).values())[2:])
    record, folder = run_sweep(sweep, tmp_path / "w")
    assert record.results[1].difference.count == 2
    assert read_record(folder) == record
    assert record.mlflow_run_id == ""
    assert not (tmp_path / "w" / "mlflow.db").exists()


def test_who_makes_copies_trains_on_them_and_others_make_another_sweep(
    trainings, runs, sweep_of, tmp_path
):
    sweep = sweep_of(1)
    copies = ImageDataset(
        str(tmp_path / "copies"),
        ("a", "b"),
        PreprocessingConfig(),
        {"train": (5, 0)},
        is_augmented=True,
    )
    Path(copies.uri).mkdir()
    copies.write()
    materialise = {"materialise": {"min_examples": 45}}
    config = PipelineConfig(name="x", data={"root": Path("/")}, augmentation=materialise)
    without, own = with_and_without_augmentation(config)
    batches = {"trainer": CONFIG.trainer.model_copy(update={"batch_size": 8})}
    variants = [
        replace(one, config=one.config.model_copy(update=batches)) for one in (without, own)
    ]
    with_copies = replace(sweep, variants=variants, copies_uri=copies.uri)
    record, folder = run_sweep(with_copies, tmp_path / "w")
    assert record.images == 50
    assert trainings.uris == [[str(tmp_path)], [str(tmp_path), copies.uri]]
    other = replace(with_copies, copies_uri=str(tmp_path / "other copies"))
    shutil.copytree(copies.uri, other.copies_uri)
    assert run_sweep(other, tmp_path / "w")[1] != folder


def test_another_config_is_another_sweep(trainings, runs, sweep_of, tmp_path):
    _, folder = run_sweep(sweep_of(1), tmp_path / "w")
    sweep = sweep_of(1)
    config = CONFIG.model_copy(
        update={"trainer": CONFIG.trainer.model_copy(update={"learning_rate": 0.5})}
    )
    other = SweepPlan(
        combinations(config, ["trainer.batch_size=8,16"], Path("/")),
        range(1),
        *list(vars(sweep).values())[2:],
    )
    assert run_sweep(other, tmp_path / "w")[1] != folder
    assert len(trainings) == 4


def test_changed_code_and_libraries_of_a_variant_make_another_sweep(
    trainings, runs, sweep_of, tmp_path, monkeypatch
):
    code = tmp_path / "mine.py"
    folders = []

    def run(text: str, option: str) -> None:
        code.write_text(text)
        variants = combinations(CONFIG, ["trainer.batch_size=8,16", option], tmp_path)
        sweep = SweepPlan(variants, range(1), *list(vars(sweep_of(1)).values())[2:])
        folders.append(run_sweep(sweep, tmp_path / "w")[1])

    run("class Loss: a = 1", "trainer.loss=focal,mine.py:Loss")
    run("class Loss: a = 2", "trainer.loss=focal,mine.py:Loss")
    run("", "augmentation.backend=keras,albumentations")
    monkeypatch.setattr("contracts.cache_key.training_digest.installed", lambda *_: ("scipy",))
    run("", "augmentation.backend=keras,albumentations")
    assert len(set(folders)) == 4


def test_a_split_without_images(trainings, sweep_of, tmp_path):
    with pytest.raises(InputError, match="--split test: expected images in this split"):
        run_sweep(sweep_of(1, split="test"), tmp_path / "w")
    assert trainings == []
