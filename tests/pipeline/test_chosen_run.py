"""Commands about a past run refuse an unknown one, and print a command that can be pasted."""

import shlex

import pytest

from pipeline.cli import main
from pipeline.workspace import Workspace

ABOUT_A_RUN = ("status", "data report", "data files")


@pytest.fixture
def options(tmp_path, monkeypatch) -> list[str]:
    """Return the options of a config and a workspace whose names need quotes."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "my toys" / "pipeline.yaml"
    config.parent.mkdir()
    config.write_text("name: toys\ndata: {root: photos}\n")
    return ["--config", "my toys/pipeline.yaml", "--workspace", "a workspace"]


def advised(said: str) -> list[list[str]]:
    """Return the words of every command that is named between backticks, without the program."""
    return [shlex.split(command)[1:] for command in said.split("`")[1::2]]


@pytest.mark.parametrize("command", ABOUT_A_RUN)
def test_without_runs_the_next_step_is_a_run_of_the_same_project(options, capsys, command):
    assert main([*command.split(), *options]) == 2
    assert advised(capsys.readouterr().err) == [["run", *options]]


@pytest.mark.parametrize("command", ABOUT_A_RUN)
def test_an_unknown_run_is_refused_with_the_known_ones(options, capsys, tmp_path, command):
    known = Workspace(tmp_path / "a workspace").new_run().name
    assert main([*command.split(), *options, "nope"]) == 2
    assert f"no run 'nope'. The last ones: {known}." in capsys.readouterr().err


def test_a_run_without_a_record_of_its_files_names_both_next_steps(options, capsys, tmp_path):
    run_id = Workspace(tmp_path / "a workspace").new_run().name
    assert main(["data", "files", *options]) == 2
    assert advised(capsys.readouterr().err) == [
        ["status", *options, run_id],
        ["run", *options, "--to", "ImageExampleGen"],
    ]


def test_without_a_model_the_next_step_is_a_run_of_the_same_project(options, capsys):
    assert main(["predict", *options, "image.png"]) == 2
    assert main(["models", *options]) == 0
    printed = capsys.readouterr()
    assert advised(printed.err) == advised(printed.out) == [["run", *options]]


def test_a_wrong_config_is_checked_next_where_it_lies(options, capsys, tmp_path):
    (tmp_path / "my toys" / "pipeline.yaml").write_text("name: toys\nepochs: 3\n")
    assert main(["doctor", *options]) == 2
    assert ["check", *options] in advised(capsys.readouterr().out)
