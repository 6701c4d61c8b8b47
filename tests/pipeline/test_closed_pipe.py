"""A command whose output was closed ends silently, with the exit code of a closed pipe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.artifacts.image_issues import DataReport, Issue
from contracts.system.closed_pipe import silent_without_reader
from pipeline.cli import COMMANDS, main
from pipeline.summary import ComponentSummary, SecondsSummary, Summary

RUN = "20260104-000000"
CODE = "import sys; from pipeline.cli import main; sys.exit(main())"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, made_data) -> Path:
    """A project whose last run has looked at images; more than a pipe holds rows of."""
    for label in ("car", "ball"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(4):
            (tmp_path / "photos" / label / f"{number}.jpg").touch()
    (tmp_path / "pipeline.yaml").write_text("name: toys\ndata: {root: photos}\n")
    made = made_data(images=3000)
    found = made.found(DataReport([Issue("dark", "warn", 1, [[made.names[0]]])], ["a note"]))
    folder = tmp_path / "workspace" / "runs" / RUN
    folder.mkdir(parents=True)
    done = ComponentSummary(state="done", seconds=1.0, cached=False, why="first run")
    Summary(
        run_id=RUN,
        status="partial",
        data=found,
        seconds=SecondsSummary(total=1, start=1),
        components={"ImageExampleGen": done},
    ).write(folder)
    return tmp_path


def ended(words: list[str], folder: Path, *, errors_too: bool = False) -> tuple[int, bytes]:
    """Run a command whose reader has left; return its exit code and its standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        ran = subprocess.run(
            [sys.executable, "-c", CODE, *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=out if errors_too else subprocess.PIPE,
            check=False,
        )
    return ran.returncode, ran.stderr or b""


@pytest.mark.parametrize(
    "command",
    [
        "check",
        "check --json",
        "check --schema",
        "status",
        "status --json",
        "data report",
        "data report --json",
        "data files",
        "data files --csv",
        "data files --json",
        f"data diff {RUN} {RUN}",
        f"data diff {RUN} {RUN} --json",
        "models",
        "models --json",
        "doctor",
        "init other",
        "",
        "run --help",
        "--version",
    ],
)
def test_every_command_that_prints(project, command):
    assert ended(command.split(), project) == (141, b"")


def test_no_command_was_forgotten():
    covered = {"check", "status", "models", "init", "doctor"}
    covered |= {"data report", "data files", "data diff"}
    elsewhere = {"run", "sweep", "predict", "promote"}  # in tests/e2e
    assert {command.name for command in COMMANDS} == covered | elsewhere


def test_a_complaint_that_nobody_reads(project):
    code, _ = ended(["check", "--set", "seed=x"], project, errors_too=True)
    assert code == 141


def test_head_reads_what_it_wants_of_a_real_pipe(project):
    command = f"{sys.executable} -c '{CODE}' data files --csv | head -n 2; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    header, first, code = ran.stdout.splitlines()
    assert (header.split(",")[0], first.split(",")[0], code) == ("path", "a/000000.png", "141")


def test_another_broken_pipe_is_an_error():
    def command() -> int:
        raise BrokenPipeError("of another process")

    with pytest.raises(BrokenPipeError, match="of another process"):
        silent_without_reader(command)


def test_damaged_artifacts_are_still_reported(project, capsys):
    for artifact in (project / "artifacts" / "report").rglob("*.json"):
        artifact.write_text("{")
    assert main(["data", "report", "--json", "--config", str(project / "pipeline.yaml")]) == 2
    assert "are gone or damaged" in capsys.readouterr().err
