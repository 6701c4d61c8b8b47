"""A renamed or copied project works where it is, and does not change the original."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import encoded
from tests.e2e.conftest import Project, imgpipe

QUICK = (
    *("--set", "trainer.epochs=2", "--set", "preprocessing.image_size_px=16"),
    *("--set", "augmentation.preset=none", "--set", "explanation.pictures=false"),
    *("--set", "evaluation.min_accuracy=0", "--set", "evaluation.max_accuracy_drop=1"),
)
# What a run did of which only the place has changed since.
UNCHANGED = ("ImageExampleGen", "StatisticsGen", "SchemaGen", "ImageTransform", "Trainer")


def photos(folder: Path, levels: dict[str, int]) -> None:
    """Write 30 pictures of each class, which are noise about its level of grey."""
    for label, level in levels.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(30):
            noise = np.random.default_rng([level, number]).integers(-20, 20, (24, 24, 3))
            image = encoded((noise + level).astype(np.uint8))
            (folder / label / f"{number}.png").write_bytes(image)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Project:
    """Return a project with a model that serves. Its name needs quotes and escapes."""
    project = Project(tmp_path_factory.mktemp("moved") / 'one "ö" %')
    photos(project.folder / "photos", {"dark": 60, "light": 190})
    assert imgpipe("init", project.folder).code == 0
    first = project.command("run", "--json", *QUICK)
    assert first.code == 0, first.err
    assert first.summary["pushed_version"] == 1
    return project


@pytest.fixture
def copied(original, tmp_path) -> Iterator[Project]:
    """Return a copy of the project; whoever used it has not touched the original."""
    before = content_of(original.folder)
    project = Project(tmp_path / "a copy")
    shutil.copytree(original.folder, project.folder)
    yield project
    assert content_of(original.folder) == before


@pytest.fixture
def moved(copied, original) -> Iterator[Project]:
    """Return a copy of a project that is not where it was."""
    hidden = original.folder.with_name("hidden")
    original.folder.rename(hidden)
    yield copied
    hidden.rename(original.folder)


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def paths_in(summary: dict) -> list[str]:
    """Return the paths that a summary names."""
    data = summary["data"]
    return [summary["pushed_path"], summary["report"], data["manifest"], data["page"]]


def test_a_copy_has_nothing_to_do_and_names_its_own_files(copied):
    again = copied.command("run", "--json", *QUICK)
    assert again.code == 0, again.err
    assert all(one["cached"] for one in again.summary["components"].values())
    for path in paths_in(again.summary):
        assert Path(path).is_relative_to(copied.workspace)
        assert Path(path).exists()


def test_a_copy_pushes_into_itself(copied):
    other = copied.command("run", "--json", *QUICK, "--set", "trainer.batch_size=16")
    assert other.code == 0, other.err
    assert other.summary["pushed_version"] == 2
    assert Path(other.summary["pushed_path"]).is_relative_to(copied.workspace)
    (mlflow_run,) = other.summary["tracked"]
    files = list((copied.workspace / "mlflow-artifacts" / mlflow_run["run_id"]).rglob("*"))
    assert any(path.name == "saved_model.pb" for path in files)


def test_a_moved_project_goes_on(moved):
    image = moved.folder / "photos" / "dark" / "0.png"
    predicted = moved.command("predict", "--json", image)
    assert predicted.code == 0, predicted.err
    stricter = moved.command("run", "--json", *QUICK, "--set", "evaluation.min_accuracy=0.01")
    assert stricter.code == 0, stricter.err
    components = stricter.summary["components"]
    assert [name for name in UNCHANGED if not components[name]["cached"]] == []
    assert stricter.summary["metrics"]["baseline_version"] == 1
    assert stricter.summary["pushed_version"] == 1  # the same model
    for path in paths_in(stricter.summary):
        assert Path(path).is_relative_to(moved.workspace)
    (mlflow_run,) = stricter.summary["tracked"]
    assert str(moved.workspace / "mlflow.db") in mlflow_run["place"]
    report = moved.command("data report", "--json")
    assert report.code == 0, report.err


def test_later_data_is_measured_against_that_from_before_the_move(moved):
    extra = np.random.default_rng(0).integers(40, 80, (24, 24, 3), dtype=np.uint8)
    (moved.folder / "photos" / "dark" / "new.png").write_bytes(encoded(extra))
    more = moved.command("run", "--json", *QUICK, "--to", "ImageValidator")
    assert more.code == 0, more.err
    why = more.summary["components"]["ImageValidator"]["why"]
    assert "accepted_statistics changed from" in why


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_champion_that_cannot_be_loaded_is_refused_before_the_training(moved, damage):
    model = moved.workspace / "serving" / "my_model" / "1"
    if damage == "gone":
        shutil.rmtree(model)
    else:
        (model / "saved_model.pb").write_bytes(b"another")
    checked = moved.command("check", *QUICK)
    refused = moved.command("run", *QUICK, "--set", "trainer.batch_size=16")
    assert checked.code == refused.code == 2, refused.err
    found = "none" if damage == "gone" else "other files than those that were pushed"
    assert f"version 1: expected its SavedModel in {model}, found {found}." in checked.err
    assert checked.err.splitlines()[-1] in refused.err
    assert "Trainer" not in refused.err


def test_a_class_that_is_added_serves_once_it_is_promoted(copied):
    photos(copied.folder / "photos", {"black": 20})
    run = copied.command("run", *QUICK)
    assert run.code == 0, run.err
    assert "Version 1 still serves, until version 2 is promoted." in run.out
    (following,) = [line for line in run.out.splitlines() if line.startswith("next ")]
    assert re.search(r"imgpipe promote .* 2$", following)
    image = copied.folder / "photos" / "black" / "0.png"
    assert set(probabilities(copied, image)) == {"dark", "light"}
    assert numbered(copied) == ["1"]

    promoted = copied.command("promote", "2")
    assert promoted.code == 0, promoted.err
    assert "Version 2 of my_model serves now." in promoted.out
    assert set(probabilities(copied, image)) == {"black", "dark", "light"}
    assert numbered(copied) == ["2"]

    back = copied.command("promote", "1", "--json")
    assert back.summary == {"champion": 1, "before": 2}
    assert set(probabilities(copied, image)) == {"dark", "light"}
    unknown = copied.command("promote", "7")
    assert unknown.code == 2
    assert "expected a version of 'my_model' (2, 1), received 7" in unknown.err


def probabilities(project: Project, image: Path) -> dict[str, float]:
    (prediction,) = project.command("predict", "--json", image).summary
    return prediction["probabilities"]


def numbered(project: Project) -> list[str]:
    """Return the folders that TensorFlow Serving takes for versions."""
    folder = project.workspace / "serving" / "my_model"
    return [path.name for path in folder.iterdir() if path.name.isdecimal()]
