"""Programs are faked as shell scripts: nothing is fetched, and the machine does not matter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import make_venv
from tools.make_venv import Python

DEBIAN_12 = (2, 36)
DEBIAN_13 = (2, 41)
SCRIPT = Path(make_venv.__file__)
COMMAND_NOT_FOUND = 'echo "pyenv: $(basename "$0"): command not found" >&2; exit 127'


def program(path: Path, body: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def fake_python(path: Path, version: str) -> Python:
    """Answers the probe as a Python of that version."""
    program(path, f'echo "{version} $0"')
    return Python(str(path), version)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout on a path with a space, with the least that the script reads."""
    root = tmp_path / "a checkout"
    (root / "tools").mkdir(parents=True)
    (root / "tools" / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
    (root / "pyproject.toml").write_text('[project]\nname = "imgpipe"\n\n[tool.ruff]\n')
    (root / "requirements.lock").write_text("numpy==1.26.4\n")
    return root


@pytest.fixture
def fake_uv(tmp_path: Path) -> Path:
    """A folder for PATH whose uv makes an environment, and writes down what it was asked."""
    program(
        tmp_path / "bin" / "uv",
        f"""case "$*" in
        --version) echo "uv 99.0.0"; exit;;
        "python install"*) echo "error: offline" >&2; failed=1;;
        venv*) mkdir -p .venv/bin && ln -sf /bin/true .venv/bin/python;;
        esac
        echo "$*" >> '{tmp_path}/asked'; exit ${{failed:-0}}""",
    )
    return tmp_path / "bin"


def run_script(root: Path, bin_folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{bin_folder}:/usr/bin:/bin", "HOME": str(root.parent), **variables}
    script = str(root / "tools" / SCRIPT.name)
    python = [sys.executable, "-I", script]
    return subprocess.run(python, env=env, capture_output=True, text=True, timeout=60, check=False)


def asked(bin_folder: Path) -> list[str]:
    return (bin_folder.parent / "asked").read_text().splitlines()


@pytest.mark.parametrize(
    ("glibc", "versions", "tfx", "chosen"),
    [
        (DEBIAN_13, ["3.10.13", "3.11.7", "3.13.5", "3.12.1"], "1.21", "3.13.5"),
        (DEBIAN_13, ["3.14.0", "3.10.13", "3.11.7"], "1.21", "3.11.7"),
        (DEBIAN_13, ["3.9.2", "3.10.13"], "1.16", "3.10.13"),
        (DEBIAN_12, ["3.13.5", "3.11.7", "3.10.13"], "1.16", "3.10.13"),
    ],
)
def test_glibc_and_the_pythons_found_decide_the_tfx_line(glibc, versions, tfx, chosen) -> None:
    choice = make_venv.best([Python("/python", version) for version in versions], glibc)

    assert choice is not None
    assert (choice[0].tfx, choice[1].version) == (tfx, chosen)


def test_no_line_runs_python_3_11_on_an_older_glibc() -> None:
    assert (
        make_venv.best([Python("/python", "3.11.7"), Python("/python", "3.14.0")], DEBIAN_12)
        is None
    )


def test_a_shim_that_runs_nothing_is_passed_over_for_what_pyenv_keeps(tmp_path: Path) -> None:
    shims, pyenv = tmp_path / "shims", tmp_path / "py env"
    program(shims / "python3.10", COMMAND_NOT_FOUND)
    kept = fake_python(pyenv / "versions" / "3.10.13" / "bin" / "python", "3.10.13")
    env = {"PATH": f"{shims}:/usr/bin:/bin", "PYENV_ROOT": str(pyenv)}

    found = make_venv.find_pythons(make_venv.candidates(env), env)

    assert [
        python for python in found if python.minor == "3.10" and str(tmp_path) in python.path
    ] == [kept]


def test_an_active_environment_answers_with_the_python_behind_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)

    python = make_venv.probe(str(tmp_path / "venv" / "bin" / "python"), dict(os.environ))

    assert python is not None
    assert str(tmp_path) not in python.path


def test_without_a_fitting_python_one_sentence_says_what_to_install(
    checkout: Path,
    fake_uv: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", f"{fake_uv}:/usr/bin:/bin")
    monkeypatch.setattr(make_venv, "this_machines_glibc", lambda: DEBIAN_12)
    monkeypatch.setattr(make_venv, "candidates", lambda env: [str(fake_uv / "python3")])
    fake_python(fake_uv / "python3", "3.9.2")

    code = make_venv.main([], checkout)

    assert code == 2
    assert asked(fake_uv) == ["python install 3.10"]
    assert capfd.readouterr().err == (
        "make_venv: expected Python 3.10 (for TFX on glibc 2.36), received Python 3.9.2 at "
        f"{fake_uv}/python3, and from uv: error: offline. Install Python 3.10, then make again.\n"
    )


def test_a_second_call_starts_nothing_until_the_lock_or_the_project_changes(
    checkout: Path, fake_uv: Path
) -> None:
    first = run_script(checkout, fake_uv)
    steps = len(asked(fake_uv))

    second = run_script(checkout, Path("/nonexistent"))
    with (checkout / "pyproject.toml").open("a") as pyproject:
        pyproject.write("line-length = 100\n")
    third = run_script(checkout, Path("/nonexistent"))
    assert first.returncode == second.returncode == third.returncode == 0, first.stderr
    assert second.stdout == third.stdout
    assert second.stdout.startswith(".venv is up to date")
    assert len(asked(fake_uv)) == steps

    (checkout / "requirements.lock").write_text("numpy==1.26.5\n")
    assert run_script(checkout, fake_uv).returncode == 0
    assert [line.split(" --")[0] for line in asked(fake_uv)[steps:]] == [
        "pip sync",
        "pip install",
        "pip check",
    ]


@pytest.mark.parametrize("how", ["killed before the stamp", "moved", "lost its Python"])
def test_an_environment_that_cannot_be_mended_is_made_anew(
    checkout: Path, fake_uv: Path, how: str
) -> None:
    run_script(checkout, fake_uv)
    (checkout / ".venv" / "lib").mkdir()
    if how == "killed before the stamp":
        (checkout / ".venv" / make_venv.STAMP).unlink()
    elif how == "moved":
        checkout = checkout.rename(checkout.with_name("moved checkout"))
    else:
        (checkout / ".venv" / "bin" / "python").unlink()
        (checkout / ".venv" / "bin" / "python").symlink_to("/nonexistent/python")

    mended = run_script(checkout, fake_uv)

    assert mended.returncode == 0, mended.stderr
    assert not (checkout / ".venv" / "lib").exists()
    assert make_venv.read_stamp(checkout / ".venv") is not None


def test_uv_gets_pips_registry_and_nothing_that_redirects_it(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://registry.example/simple\nfind_links = /nonexistent/wheels\n"
        "[install]\nuser = true\nextra-index-url =\n    https://a.example\n    https://b.example\n"
    )
    environ = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "HOME": str(tmp_path),
        "PATH": "/bin",
        **dict.fromkeys(["VIRTUAL_ENV", "PYTHONPATH", "PIP_TARGET", "UV_PYTHON", "UV_TARGET"], "x"),
    }

    env = make_venv.child_environment(environ)

    assert env["UV_DEFAULT_INDEX"] == "https://registry.example/simple"
    assert env["UV_INDEX"] == "https://a.example https://b.example"
    assert {"VIRTUAL_ENV", "PYTHONPATH", "PIP_TARGET", "UV_PYTHON", "UV_TARGET"}.isdisjoint(env)
    assert "UV_FIND_LINKS" not in env
    own = make_venv.child_environment({**environ, "UV_INDEX_URL": "https://own.example"})
    assert "UV_DEFAULT_INDEX" not in own
    assert own["UV_INDEX_URL"] == "https://own.example"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            "error: Failed to build `pyfarmhash==0.3.2`\n  error: [Errno 2] No such file or "
            "directory: 'g++'\nhint: Build failures usually indicate a problem",
            "a C++ compiler and Python's headers to build pyfarmhash==0.3.2",
        ),
        ("The virtual environment was not created: ensurepip is not available.", "python3-venv"),
        (
            "error: Request failed\n  cause: error sending request for url\n  cause: dns error",
            "a package registry to answer, received dns error.",
        ),
        ("", "received not a word."),
    ],
)
def test_a_failed_step_says_what_is_missing(output: str, said: str) -> None:
    assert said in str(make_venv.explain("uv", output))
