"""The command line starts at once, prints errors as sentences, and ends with a code."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from contracts.system.errors import ComponentError, ConfigError
from pipeline import cli

HEAVY = ("tensorflow", "tfx", "keras", "apache_beam", "mlflow")


@pytest.fixture
def command(monkeypatch):
    """Return `command(run)`: puts a command `work` with this run function into the table."""

    def install(run) -> None:
        module = SimpleNamespace(add_arguments=lambda parser: None, run=run)
        monkeypatch.setitem(sys.modules, "work_command", module)
        monkeypatch.setattr(cli, "COMMANDS", (cli.Command("work", "works", "work_command"),))

    return install


def raising(error: BaseException):
    def run(args) -> int:
        raise error

    return run


def test_without_arguments_the_commands_are_listed(capsys):
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    for name in ("init", "check", "run", "status", "sweep", "doctor", "predict", "models"):
        assert f"\n    {name} " in printed


def test_help_and_version_are_there_at_once():
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline.cli", "--help"],
        cwd=Path(cli.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert time.monotonic() - began_s < 2  # 0.05 s on an idle machine
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {*HEAVY, "pydantic", "yaml", "rich", "numpy"}


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("imgpipe 0.")


def test_the_common_options(command):
    given = []
    command(lambda args: given.append(args) or 0)
    assert cli.main(["work"]) == 0
    options = ["--config", "a.yaml", "--set", "x=1", "--set", "y=2", "--workspace", "w", "--json"]
    assert cli.main(["work", *options]) == 0
    assert given[0].config == Path("pipeline.yaml")
    assert given[0].workspace == Path("workspace")
    assert (given[0].overrides, given[0].json) == ([], False)
    assert (given[1].config, given[1].workspace) == (Path("a.yaml"), Path("w"))
    assert (given[1].overrides, given[1].json) == (["x=1", "y=2"], True)


def test_the_workspace_lies_beside_the_config_unless_it_is_named(command, tmp_path):
    given = []
    command(lambda args: given.append(args.workspace) or 0)
    for options in (["--config", "demo/pipeline.yaml"], ["--config", f"{tmp_path}/toys.yaml"]):
        assert cli.main(["work", *options]) == 0
        assert cli.main(["work", *options, "--workspace", "w"]) == 0
    assert given == [Path("demo/workspace"), Path("w"), tmp_path / "workspace", Path("w")]


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_code_is_the_commands(command, code):
    command(lambda args: code)
    assert cli.main(["work"]) == code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError(["a: b.", "c: d."]), 2, "imgpipe: a: b.\nimgpipe: c: d.\n"),
        (ComponentError("Trainer: no."), 1, "imgpipe: Trainer: no.\n"),
        (KeyboardInterrupt(), 130, "imgpipe: interrupted.\n"),
    ],
)
def test_errors_are_sentences(command, capsys, error, code, said):
    command(raising(error))
    assert cli.main(["work"]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", said)


def test_a_bug_keeps_its_trace(command):
    command(raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["work"])


@pytest.mark.parametrize("argv", [["no-such"], ["check", "--no-such"], ["--no-such"]])
def test_a_wrong_call(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 2
    assert "usage: imgpipe" in capsys.readouterr().err


def test_init_and_check_start_without_tensorflow(tmp_path, write_image):
    for label in "ab":
        for seed in range(3):
            write_image(tmp_path / "photos" / label / f"{seed}.png", seed)
    script = (
        "import sys\n"
        "from pipeline.cli import main\n"
        f"assert main(['init', {str(tmp_path)!r}]) == 0\n"
        f"assert main(['check', '--config', {str(tmp_path / 'pipeline.yaml')!r}]) == 0\n"
        f"assert not set({HEAVY}) & set(sys.modules), sorted(sys.modules)\n"
        "assert 'sklearn' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=Path(cli.__file__).parents[1], check=True)
