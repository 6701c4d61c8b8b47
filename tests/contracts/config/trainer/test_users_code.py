"""Code of the user's own is found, told apart and looked into without being run."""

import ast
from pathlib import Path

import pytest

from contracts.config.trainer import users_code
from contracts.config.trainer.users_code import UsersCode, may_define, sources
from contracts.system.errors import ConfigError
from tests.contracts.conftest import GOOD, load


@pytest.mark.parametrize(
    ("reference", "place", "attribute", "is_file"),
    [
        ("package.module:build", "package.module", "build", False),
        ("net.py:build", "net.py", "build", True),
        ("/a:b/my nets/net.py:Build_2", "/a:b/my nets/net.py", "Build_2", True),
    ],
)
def test_modules_and_files(reference, place, attribute, is_file):
    code = UsersCode.parse(reference)
    assert code == UsersCode(place, attribute)
    assert (code.file == Path(place)) is is_file
    assert str(code) == reference


@pytest.mark.parametrize(
    "reference", ["cnn", "net.py", "net.py:", "my models:build", "a:b:c", "a:1"]
)
def test_what_is_no_reference(reference):
    assert UsersCode.parse(reference) is None


SOURCE = """\
raise RuntimeError("this is run")
from elsewhere import borrowed
import package.module as renamed
if borrowed:
    def conditional(): ...
first, second = 1, lambda: None
class Network:
    def inside(self): ...
"""


def test_names_that_a_file_defines(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(SOURCE)
    for name in ("borrowed", "renamed", "conditional", "second", "Network"):
        assert may_define(file, name)
    for name in ("inside", "package", "build"):
        assert not may_define(file, name)
    file.write_text("from elsewhere import *")
    assert may_define(file, "build")


def test_sources_are_the_file_and_what_it_imports_beside_it(tmp_path):
    (tmp_path / "net.py").write_text("import keras, blocks\nfrom parts.deep import x\n")
    (tmp_path / "blocks.py").write_text("def f():\n    import sizes\n")
    (tmp_path / "sizes.py").write_text("import net")
    (tmp_path / "unrelated.py").write_text("import blocks")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "deep.py").write_text("x = 1")
    found = [str(path.relative_to(tmp_path)) for path in sources(tmp_path / "net.py")]
    assert found == ["blocks.py", "net.py", "parts/deep.py", "sizes.py"]


def test_an_installed_module_stands_for_itself(tmp_path, monkeypatch):
    (tmp_path / "nets.py").write_text("import keras")
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text("")
    assert len(sources(tmp_path / "nets.py")) == 2
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(tmp_path / "python"))
    (tmp_path / "python").symlink_to(tmp_path)
    assert sources(tmp_path / "nets.py") == [tmp_path / "nets.py"]
    assert len(sources(tmp_path / "keras" / "__init__.py")) == 1


def test_a_file_is_parsed_again_only_where_it_has_changed(write, tmp_path, monkeypatch):
    parsed = []

    def parse(source, name, *rest):
        parsed.append(Path(name).name)
        return compile(source, name, "exec", ast.PyCF_ONLY_AST)

    monkeypatch.setattr(users_code.ast, "parse", parse)
    for name in ("net.py", "blocks.py"):
        (tmp_path / name).write_text("import blocks\ndef build(): ...")
    space = "search.space={trainer.epochs: [3, 4, 5], trainer.loss: [focal, 'net.py:build']}"
    path = write(f"{GOOD}trainer: {{model: 'net.py:build'}}").absolute()
    load(path, space)
    assert sorted(parsed) == ["blocks.py", "net.py"]
    (tmp_path / "net.py").write_text("import blocks\ndef built(): ...\n")
    with pytest.raises(ConfigError, match="the file has no `build`"):
        load(path, space)
    assert sorted(parsed) == ["blocks.py", "net.py", "net.py"]


def test_the_file_of_a_model_is_relative_to_the_config(write, tmp_path, monkeypatch):
    path = write(f"{GOOD}trainer: {{model: 'nets/net.py:build'}}").absolute()
    (tmp_path / "nets").mkdir()
    for name in ("net.py", "other.py"):
        (tmp_path / "nets" / name).write_text("def build(): ...")
    monkeypatch.chdir(tmp_path / "nets")
    nets = tmp_path / "nets"
    assert load(path).trainer.model == f"{nets}/net.py:build"
    assert load(path, "trainer.model=nets/other.py:build").trainer.model == f"{nets}/other.py:build"
    variables = {"IMGPIPE_TRAINER__MODEL": "nets/other.py:build"}
    assert load(path, **variables).trainer.users_model().file == nets / "other.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load(path, "trainer.model=nets.other:build").trainer.model == "nets.other:build"


@pytest.mark.parametrize(
    ("reference", "trouble"),
    [
        ("gone.py:build", "gone.py:build, which does not exist. Paths are relative to the config"),
        ("photos/.py:build", "which does not exist."),
        ("net.py:built", "net.py:built, but the file has no `built`."),
        ("broken.py:build", "which is no Python in line 2 ("),
        ("imports.py:build", "but what it imports is no Python: "),
    ],
)
def test_a_file_that_cannot_give_the_model(problems, tmp_path, reference, trouble):
    (tmp_path / "net.py").write_text("def build(): ...")
    (tmp_path / "broken.py").write_text("def build(): ...\ndef")
    (tmp_path / "imports.py").write_text("import broken\ndef build(): ...")
    found = problems(f"{GOOD}trainer:\n  model: '{reference}'")
    assert len(found) == 1
    assert found[0].startswith("pipeline.yaml:5: trainer.model: expected a Python file with a fun")
    assert trouble in found[0]


def test_weights_are_a_file_beside_the_config(write, tmp_path):
    path = write(f"{GOOD}trainer: {{weights: first.weights.h5}}")
    (tmp_path / "first.weights.h5").touch()
    trainer = load(path).trainer
    assert trainer.weights_file() == tmp_path / "first.weights.h5"
    assert load(path, "trainer.weights=null").trainer.weights_file() is None
    imagenet = load(path, "trainer={weights: imagenet, model: ResNet50}").trainer
    assert (imagenet.weights, imagenet.weights_file()) == ("imagenet", None)


@pytest.mark.parametrize(
    ("weights", "trouble"),
    [
        ("gone.keras", "gone.keras, which does not exist. Paths are relative to the config."),
        ("photos", "photos."),
        ("photos/.keras", "which does not exist"),
    ],
)
def test_weights_that_are_not_there(problems, weights, trouble):
    found = problems(GOOD, f"trainer.weights={weights}")[0]
    assert "trainer.weights: expected null, imagenet or a file of weights (.weights.h5, " in found
    assert trouble in found


def test_a_data_root_of_the_name_imagenet_is_a_folder(write, tmp_path):
    path = write("name: toys\ndata: {root: imagenet}")
    (tmp_path / "imagenet").mkdir()
    assert load(path).data.root == tmp_path / "imagenet"
