"""Code of the user's own: files with modules beside them, and sentences about what goes wrong."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from contracts.system.errors import ConfigError
from trainer.users.users_code import load_users_code

KEY = "trainer.callbacks[0]"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Return a folder of the user's; what is imported from it is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def load(folder: Path, source: str, name: str = "build"):
    (folder / "net.py").write_text(textwrap.dedent(source))
    return load_users_code(f"{folder}/net.py:{name}", KEY)


def test_a_file_is_imported_once_and_again_when_it_changes(folder):
    first = load(folder, "def build(): return 1")
    assert first() == 1
    assert load(folder, "def build(): return 1") is first
    assert load(folder, "def build(): return 2")() == 2
    assert "net" not in sys.modules


def test_modules_beside_a_file_are_importable_also_later(folder):
    (folder / "my_blocks.py").write_text("x = 3")
    (folder / "my_parts").mkdir()
    (folder / "my_parts" / "deep.py").write_text("y = 4")
    build = load(
        folder,
        """
        import my_blocks
        def build():
            from my_parts.deep import y
            return my_blocks.x + y
        """,
    )
    assert build() == 7


def test_a_module_of_the_path(folder, monkeypatch):
    (folder / "my_module.py").write_text("class Build: ...")
    monkeypatch.syspath_prepend(str(folder))
    assert load_users_code("my_module:Build", KEY).__name__ == "Build"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a = 1", "expected a function or class 'build' in {file}, received no such name."),
        ("build = 1", "expected a function or class 'build' in {file}, received a int."),
        (
            "\nraise ValueError('so it\\n is.')",
            "cannot be imported: ValueError: so it is ({file}:2).",
        ),
        ("def build(:", "{file}:1)."),
        ("import no_such_thing", "No module named 'no_such_thing' ({file}:1)."),
        ("import sys\nsys.exit(1)", "cannot be imported: SystemExit: 1 ({file}:2)."),
    ],
)
def test_what_goes_wrong_in_a_file_is_a_sentence_with_the_line(folder, source, problem):
    with pytest.raises(ConfigError) as raised:
        load(folder, source)
    (sentence,) = raised.value.problems
    assert sentence.startswith(f"{KEY}: ")
    assert problem.format(file=folder / "net.py") in sentence


def test_a_file_that_failed_is_run_again(folder):
    (folder / "missing_once.py").unlink(missing_ok=True)
    with pytest.raises(ConfigError):
        load(folder, "import missing_once\ndef build(): return 5")
    (folder / "missing_once.py").touch()
    assert load(folder, "import missing_once\ndef build(): return 5")() == 5


@pytest.mark.parametrize("reference", ["no_such_module:build", "os:no_such_name", "no reference"])
def test_what_is_not_there_is_named(reference):
    with pytest.raises(ConfigError, match=f"^trainer.callbacks.0.: .*{reference.split(':')[0]}"):
        load_users_code(reference, KEY)


@pytest.mark.parametrize("name", ["trainer", "json", "yaml"])
def test_a_module_beside_that_another_one_hides_is_told(folder, name):
    (folder / f"{name}.py").touch()
    with pytest.raises(ConfigError, match=f"imports `{name}`, expected to be the one in "):
        load(folder, f"import {name}\ndef build(): ...")


USER = """
import keras
from my_blocks import units
def build(size_px, classes):
    return keras.Sequential([
        keras.layers.Flatten(), keras.layers.Dense(units), keras.layers.Dense(classes, "softmax")])
"""
PROGRAM = """
import sys
from contracts.config.trainer.config import TrainerConfig
from trainer.models import build_model
model = build_model(TrainerConfig(model=sys.argv[1]), 8, 3)
assert model.output_shape == (None, 3), model.output_shape
import contracts.config.tracking, components, pipeline, serving, trainer.preprocessing
import trainer, contracts
for package in (contracts, trainer, components, pipeline, serving):
    assert package.__file__.startswith(sys.argv[2]), package.__file__
"""


def test_a_folder_with_names_of_ours_disturbs_neither_side(folder):
    for name in ("trainer.py", "serving.py"):
        (folder / name).write_text("raise RuntimeError('the other one')")
    for name in ("pipeline", "contracts", "components"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise RuntimeError('the other one')")
    (folder / "my_blocks.py").write_text("units = 4")
    (folder / "net.py").write_text(USER)
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"{folder}/net.py:build", str(root)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
