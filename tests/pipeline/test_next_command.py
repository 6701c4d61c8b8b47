"""The command that is printed as the next one can be pasted into a shell."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import default_workspace
from pipeline.commands.next_command import next_command, short_path

STRANGE = [
    "a b",
    "it's",
    'a"b',
    "a$HOME",
    "a`b`",
    "a\\b",
    "a;b&c|d",
    "~a",
    "-a",
    "a#b",
    "a!b",
    "{a,b}",
    "a*[b]?",
    "a\nb",
    "字",
]


def arguments(config: Path, workspace: Path | None = None, *overrides: str) -> argparse.Namespace:
    workspace = workspace or default_workspace(config)
    return argparse.Namespace(config=config, workspace=workspace, overrides=list(overrides))


@pytest.fixture
def program(tmp_path, monkeypatch) -> Path:
    """Return a folder with an `imgpipe` that prints its words as JSON; it is the first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"
    (folder / "imgpipe").write_text(script)
    (folder / "imgpipe").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.mark.parametrize("name", STRANGE)
def test_whatever_names_hold(program, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    args = arguments(Path(name), Path(f"{name}/w"), f"name={name}")
    printed = next_command("predict", args, short_path(tmp_path / name))
    ran = subprocess.run(["bash", "-c", printed], capture_output=True, text=True, check=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    for option in ("--config", "--workspace", "--set"):
        parser.add_argument(option)
    parser.add_argument("image", type=Path)
    given = parser.parse_args(json.loads(ran.stdout))
    assert (given.config, given.workspace) == (name, str(Path(name, "w")))
    assert given.set == f"name={name}"
    assert given.image == Path(name)


def test_only_what_is_not_the_default_is_named(program):
    assert next_command("run", arguments(Path("pipeline.yaml"))) == "imgpipe run"
    demo = Path("demo/pipeline.yaml")
    assert next_command("run", arguments(demo)) == "imgpipe run --config demo/pipeline.yaml"
    printed = next_command("run", arguments(demo, Path("workspace")))
    assert printed == "imgpipe run --config demo/pipeline.yaml --workspace workspace"
