"""An import in a user's file that would find another module than the one beside it is named."""

import sys
from pathlib import Path

import pytest

from contracts.config.rules.hidden_modules import hidden_modules


def written(folder: Path, **sources: str) -> Path:
    """Write modules by name, and return the one named net."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return folder / "net.py"


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("trainer", "trainer/__init__.py"),
        ("json", "json/__init__.py"),
        ("keras", "keras/__init__.py"),
        ("time", "Python itself"),
        ("__main__", "Python itself"),
    ],
)
def test_the_module_that_comes_first_is_named(tmp_path, monkeypatch, name, owner):
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)  # as in `imgpipe`
    (sentence,) = hidden_modules(written(tmp_path, net=f"import {name}", **{name: ""}))
    assert sentence.startswith(f"{tmp_path}/net.py imports `{name}`, expected to be the one in ")
    assert f"{owner}, which comes first. Rename yours." in sentence


def test_every_hidden_module_is_named_also_those_that_others_import(tmp_path):
    net = written(tmp_path, net="import blocks, json", blocks="import serving", json="", serving="")
    first, second = hidden_modules(net)
    assert "blocks.py imports `serving`" in first
    assert "net.py imports `json`" in second


def test_a_folder_of_sources_with_a_name_of_ours_is_hidden_too(tmp_path):
    net = written(tmp_path, net="from pipeline.blocks import block")
    (tmp_path / "pipeline").mkdir()
    assert hidden_modules(net) == []
    (tmp_path / "pipeline" / "blocks.py").touch()
    (sentence,) = hidden_modules(net)
    assert "imports `pipeline`" in sentence


def test_modules_that_are_found_are_not_named(tmp_path, monkeypatch):
    net = written(tmp_path, net="import my_blocks, json, keras, no_such_thing", my_blocks="")
    assert hidden_modules(net) == []
    monkeypatch.syspath_prepend(str(tmp_path))
    assert hidden_modules(net) == []
    (tmp_path / "keras").mkdir()  # weights, say: whoever imports keras means the library
    assert hidden_modules(net) == []
