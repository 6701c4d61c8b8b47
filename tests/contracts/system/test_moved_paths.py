"""What a moved folder has written names it where it is now, in whatever form the path stands."""

import json
from pathlib import Path

import pytest

from contracts.config.mlflow_uri import sqlite_uri
from contracts.system.moved_paths import replace_folder, without_folders

PLAIN, STRANGE = Path("/data/x"), Path('/mnt/a "b" ü% 100%25/\\w')


@pytest.mark.parametrize(
    "form",
    [
        str,
        sqlite_uri,
        lambda path: path.as_uri(),
        lambda path: f"imgpipe:{path}",
        lambda path: f"run 1 of `mlflow ui {path}`, and {path}",
        lambda path: json.dumps({"x": [str(path)]}, ensure_ascii=False),
        lambda path: json.dumps({"x": json.dumps({"y": path.as_uri()})}, ensure_ascii=False),
    ],
)
@pytest.mark.parametrize(("old", "new"), [(PLAIN, STRANGE), (STRANGE, PLAIN), (STRANGE, STRANGE)])
def test_a_path_is_replaced_in_every_form(form, old, new):
    below = "pipeline/7"
    assert replace_folder(form(old), old, new) == form(new)
    assert replace_folder(form(old / below), old, new) == form(new / below)


def test_json_with_escapes_names_the_path_too():
    escaped = json.dumps({"x": json.dumps({"y": str(STRANGE)})})
    replaced = json.loads(replace_folder(escaped, STRANGE, PLAIN))
    assert json.loads(replaced["x"]) == {"y": str(PLAIN)}


@pytest.mark.parametrize(
    "text", ["/data/x2", "/data/x.txt", "/mnt/data/x/1", "s3://bucket/data/x", "/data", ""]
)
def test_other_folders_stay(text):
    assert replace_folder(text, PLAIN, STRANGE) == text


def test_replacing_twice_is_replacing_once():
    inner, outer = Path("/workspace"), Path("/home/me/workspace")
    once = replace_folder("/workspace/pipeline/7 and file:///workspace/a", inner, outer)
    assert once == "/home/me/workspace/pipeline/7 and file:///home/me/workspace/a"
    assert replace_folder(once, inner, outer) == once
    assert replace_folder(once, outer, inner) == "/workspace/pipeline/7 and file:///workspace/a"


def test_the_innermost_folder_counts():
    folders = [Path("/p/workspace"), Path("/p")]
    text = "/p/workspace/x /p/photos /q"
    assert without_folders(text, folders) == "<folder-0>/x <folder-1>/photos /q"
    assert without_folders(text, folders[::-1]) == "<folder-1>/x <folder-0>/photos /q"
