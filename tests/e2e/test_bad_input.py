"""Wrong input ends with a sentence, without a trace, and mostly without an import of TensorFlow."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.workspace import opened_for_run
from tests.e2e.conftest import Result, imgpipe


def write_images(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        pixels = np.full((8, 8, 3), 20 * index + len(folder.name), np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")


@pytest.fixture
def project(tmp_path) -> Path:
    """Return a folder with a good config and good images."""
    (tmp_path / "pipeline.yaml").write_text(
        "name: toys\ndata:\n  root: photos\ntrainer:\n  epochs: 1\n  warmup_epochs: 0\n"
    )
    for label in ("car", "ball"):
        write_images(tmp_path / "photos" / label, 6)
    return tmp_path


def refused(result: Result, *words: str) -> None:
    """Assert that the command ended with code 2 and one clear message that has the words."""
    assert result.code == 2, (result.out, result.err)
    assert result.out == ""
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err
    assert len(result.err.strip().splitlines()) <= 3, result.err


def run(project: Path, *arguments: object) -> Result:
    return imgpipe("run", *arguments, cwd=project)


def test_no_data_folder(project):
    refused(run(project, "--set", "data.root=nowhere"), "data.root", "nowhere", "does not exist")


def test_an_empty_data_folder(project):
    (project / "empty").mkdir()
    refused(run(project, "--set", "data.root=empty"), "data.root", "empty")


def test_one_class_only(project):
    write_images(project / "one" / "car", 6)
    refused(run(project, "--set", "data.root=one"), "at least 2 classes", "'car'")


def test_fewer_images_of_a_class_than_splits(project):
    write_images(project / "photos" / "doll", 2)
    refused(run(project), "doll (2)", "at least 3 training images")


def test_an_unknown_key(project):
    with (project / "pipeline.yaml").open("a") as file:
        file.write("  epoch: 3\n")
    refused(run(project), "pipeline.yaml:7: trainer.epoch", "unknown key", "`epochs`")


def test_a_wrong_type(project):
    refused(run(project, "--set", "trainer.epochs=many"), "trainer.epochs", "integer", "'many'")


def test_a_misspelt_model(project):
    refused(run(project, "--set", "trainer.model=convnet_atto"), "trainer.model", "convnext_atto")


def test_all_problems_at_once(project):
    result = run(project, "--set", "trainer.epochs=0", "--set", "data.root=nowhere")
    refused(result, "trainer.epochs", "data.root")


def test_a_component_that_does_not_exist(project):
    refused(run(project, "--to", "Trianer"), "Did you mean Trainer?")


def test_no_config(tmp_path):
    refused(imgpipe("run", cwd=tmp_path), "pipeline.yaml", "imgpipe init")


def test_a_workspace_that_cannot_be_written(project):
    (project / "taken").write_text("a file")
    refused(run(project, "--workspace", "taken"), "taken", "--workspace")


def test_a_workspace_in_use(project):
    with opened_for_run(project / "workspace"):
        refused(run(project), "another run", f"process {os.getpid()}")


def test_a_disk_with_too_little_room(project, mounted_disk):
    workspace = mounted_disk(size_mib=4) / "workspace"
    refused(run(project, "--workspace", workspace), "MiB of free disk")


def test_nothing_to_predict_with_yet(project):
    result = imgpipe("predict", "photos/car/0.png", cwd=project)
    refused(result, "no champion", "imgpipe run")


def test_no_runs_yet(project):
    refused(imgpipe("status", cwd=project), "no runs yet", "imgpipe run")


def test_a_refused_ingestion_keeps_its_accounts_and_is_no_result(project):
    for path in sorted((project / "photos" / "car").iterdir()):
        path.write_bytes(path.read_bytes()[:40])
    refused_run = run(project, "--to", "ImageExampleGen")
    assert refused_run.code == 1
    (page,) = (project / "workspace" / "runs").glob("*/data.html")
    assert f"data page   {page}" in refused_run.out
    assert "imgpipe data files\n" in refused_run.out
    shown = page.read_text()
    assert "expected a readable training image of every class, found none of car. Add" in shown
    assert "6 of 12 files were left out: 6 corrupt, e.g. car/" in shown
    assert (page.parent / "report.html").is_file()
    files = imgpipe("data", "files", "--json", cwd=project).summary
    assert [row["reason"] for row in files] == [None] * 6 + ["corrupt"] * 6
    told = imgpipe("data", "report", cwd=project).out.splitlines()
    assert told[0].endswith("its data is not to be trained on.")
    artifacts = project / "workspace" / "pipeline" / "ImageExampleGen"
    assert [path.name for path in (artifacts / "manifest").iterdir()] == ["1"]
    assert list((artifacts / "examples").iterdir()) == []
    again = run(project, "--to", "ImageExampleGen", "--json").summary
    assert (again["status"], again["data"]["quarantined"]) == ("failed", 6)
    write_images(project / "photos" / "car", 6)
    good = run(project, "--to", "ImageExampleGen", "--json").summary
    assert (good["status"], good["data"]["ingested"]) == ("partial", 12)
    assert good["components"]["ImageExampleGen"]["why"] == "first run"
    diff = imgpipe("data", "diff", page.parent.name, good["run_id"], cwd=project)
    assert diff.out.startswith("Other content (6): car/0.png, ")
