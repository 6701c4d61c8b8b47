"""`imgpipe check` refuses with the same words all that a run refuses before its first component."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.system.errors import ConfigError, DataError, WorkspaceError
from pipeline.cli import main
from pipeline.doctor.machine import Disk
from pipeline.preflight import workspace_checks
from pipeline.preflight.preflight import preflight
from pipeline.preflight.workspace_checks import require_usable
from pipeline.workspace import Workspace, opened_for_run

COMMANDS = (["check"], ["run"], ["sweep"], ["sweep", "--search"])
TWO_MACHINES = {
    "cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]},
    "task": {"type": "worker", "index": 0},
}


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """Return the working directory, with a config and images that nobody opens."""
    monkeypatch.chdir(tmp_path)
    for name in ("TF_CONFIG", "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    for label in ("car", "ball"):
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for number in range(4):
            (folder / f"{number}.jpg").write_bytes(bytes(1000))
    (tmp_path / "pipeline.yaml").write_text("name: toys\ndata: {root: photos}\n")
    return tmp_path


@pytest.fixture
def refusals(project, capsys) -> Callable[..., list[str]]:
    """Return a function that gives the sentences which every command refuses a call with."""

    def refused(*options: str) -> list[str]:
        before = sorted(project.rglob("*"))
        said = []
        for command in COMMANDS:
            assert main([*command, *options]) == 2
            captured = capsys.readouterr()
            assert captured.out == ""
            said.append(captured.err.replace("imgpipe: ", "").splitlines())
        assert all(sentences == said[0] for sentences in said)
        assert sorted(project.rglob("*")) == before
        return said[0]

    return refused


@pytest.fixture
def another_run(project) -> Iterator[subprocess.Popen]:
    """Give the process of a run that is in the workspace."""
    code = (
        "import sys; from pathlib import Path; from pipeline.workspace import opened_for_run\n"
        "with opened_for_run(Path('workspace')): print('in', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "in\n"
        yield process
        process.kill()


def test_what_fits_is_returned_and_nothing_is_written(project):
    before = sorted(project.rglob("*"))
    checked = preflight(Path("pipeline.yaml"), ["trainer.epochs=3"], Path("workspace"))
    assert checked.config.trainer.epochs == 3
    assert checked.layout.labels == ["ball", "car"]
    assert checked.folder == project
    assert sorted(project.rglob("*")) == before


def test_an_error_keeps_its_kind(project):
    (project / "empty").mkdir()
    with pytest.raises(DataError, match="empty is empty"):
        preflight(Path("pipeline.yaml"), ["data.root=empty"], Path("workspace"))
    with pytest.raises(ConfigError):
        preflight(Path("pipeline.yaml"), ["data.root=gone"], Path("workspace"))
    with pytest.raises(WorkspaceError):
        preflight(Path("pipeline.yaml"), [], Path("pipeline.yaml"))


def test_all_problems_are_reported_at_once(refusals, project, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("TF_CONFIG", json.dumps(TWO_MACHINES))
    said = refusals("--workspace", "photos/w*", "--set", "trainer.class_weights={cars: 2.0}")
    starts = ["KERAS_BACKEND", "--workspace", "TF_CONFIG", "trainer.class_weights", "--workspace"]
    assert [sentence.partition(":")[0] for sentence in said] == starts
    assert refusals("--workspace", "pipeline.yaml", "--set", "seed=x")[1:] == [
        "pipeline.yaml: expected a folder that can be written as workspace, received Not a "
        f"directory ({project}/pipeline.yaml). Name another with --workspace.",
        "--set seed=x: seed: expected an integer >= 0 and < 2147483648, received 'x'.",
    ]


def test_a_workspace_among_the_images(refusals, project):
    (sentence,) = refusals("--workspace", "photos/workspace")
    assert sentence == (
        f"--workspace: expected a folder outside the images, received {project}/photos/workspace, "
        "which lies in data.root and would be taken for a class. Name another."
    )


def test_a_config_among_the_images_wants_another_workspace(refusals, project):
    (project / "photos" / "pipeline.yaml").write_text("name: toys\ndata: {root: .}\n")
    (sentence,) = refusals("--config", "photos/pipeline.yaml")
    assert f"received {project}/photos/workspace, which lies in data.root" in sentence


def test_a_workspace_that_another_run_is_in(refusals, another_run):
    (sentence,) = refusals()
    assert sentence == (
        f"workspace: another run is in this workspace (process {another_run.pid}). "
        "Wait for it, or name another with --workspace."
    )
    another_run.kill()
    another_run.wait()
    assert main(["check"]) == 0


def test_a_check_leaves_the_workspace_to_a_run(project):
    with opened_for_run(project / "workspace"):
        pass
    require_usable(project / "workspace")
    with opened_for_run(project / "workspace") as opened:
        assert opened.root == project / "workspace"


def test_a_folder_without_permission(refusals, project, monkeypatch):
    disk = Disk(project, 2**40, 2**40, is_writable=False)
    monkeypatch.setattr(workspace_checks, "read_disk", lambda _: disk)
    (sentence,) = refusals("--workspace", "theirs/workspace")
    assert sentence == (
        "theirs/workspace: expected a folder that can be written as workspace, received "
        f"Permission denied ({project}). Name another with --workspace."
    )


@pytest.mark.parametrize("name", ["a[b]", "a?b", "a*b", "a\\b"])
def test_characters_that_libraries_take_for_patterns(refusals, project, name):
    (sentence,) = refusals("--workspace", name)
    (character,) = set(name) & set("[?*\\")
    assert sentence == (
        "--workspace: expected a path without * ? [ \\, which TFX takes for patterns of names, "
        f"received {character} in {project}/{name}. Name another folder."
    )


def test_a_workspace_whose_name_is_no_text(refusals):
    (sentence,) = refusals("--workspace", os.fsdecode(b"w\xff"))
    assert "expected a path in UTF-8, received" in sentence


def test_a_disk_without_room(refusals, monkeypatch):
    disk = Disk(Path("/"), 2**40, 3 * 2**20, True)
    monkeypatch.setattr(workspace_checks, "read_disk", lambda _: disk)
    (sentence,) = refusals()
    assert sentence == (
        "workspace: expected about 64 MiB of free disk for 8 images, found 3 MiB. Free some, or "
        "name another folder with --workspace."
    )


def test_what_an_earlier_run_has_kept_needs_no_room_again(project, monkeypatch):
    kept = Workspace(project / "workspace").pipeline_root / "ImageTransform/transformed_examples/7"
    (kept / "Split-train").mkdir(parents=True)
    (kept / "Split-train" / "shard").write_bytes(bytes(8 * 96 * 96 * 3))
    disk = Disk(Path("/"), 2**40, 64 * 2**20 + 8 * 1000, True)
    monkeypatch.setattr(workspace_checks, "read_disk", lambda _: disk)
    assert preflight(Path("pipeline.yaml"), [], Path("workspace"))
    with pytest.raises(WorkspaceError, match="MiB of free disk for 8 images"):
        preflight(Path("pipeline.yaml"), ["preprocessing.image_size_px=97"], Path("workspace"))


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("jax", "received 'jax'. Unset it, or train with `imgpipe-train`."),
        ("theano", "received 'theano'. Unset it."),
    ],
)
def test_another_backend_of_keras(refusals, monkeypatch, backend, said):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    assert refusals() == [f"KERAS_BACKEND: expected tensorflow, {said}"]


def test_a_keras_json_that_keras_cannot_be_imported_with(refusals, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"floatx": "float8"}')
    (sentence,) = refusals()
    assert sentence.startswith(f"{tmp_path}/keras.json: floatx: expected one of float32, ")


def test_several_machines(refusals, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps(TWO_MACHINES))
    (sentence,) = refusals()
    assert "TF_CONFIG: expected nothing, since `imgpipe` trains on this machine alone" in sentence


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"feature { name: 'caf\xe9' }", "which is no UTF-8 (byte 20)."),
        (b"feature { nam: 'label' }", 'has no field named "nam"'),
        (b"{}", "which is none (1:1 : "),
    ],
    ids=["latin 1", "misspelt field", "JSON"],
)
def test_a_file_that_is_no_schema_is_refused_by_its_name(refusals, project, content, why):
    (project / "curated.pbtxt").write_bytes(content)
    (sentence,) = refusals("--set", "data.schema=curated.pbtxt")
    assert sentence.startswith("data.schema: expected a schema of TensorFlow Metadata as text")
    assert f"received {project / 'curated.pbtxt'}, which" in sentence
    assert why in sentence


def test_a_schema_is_checked_without_tensorflow(project):
    (project / "curated.pbtxt").write_text("feature { name: 'image/width' type: INT }")
    script = (
        "import sys; from pathlib import Path; from pipeline.preflight.preflight import preflight; "
        "preflight(Path('pipeline.yaml'), ['data.schema=curated.pbtxt'], Path('workspace')); "
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
