"""What a moved folder has written names it where it is now, in whatever form the path stands."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from contracts.moved_paths import moved, replace_folder, without_folders

OLD, NEW = '/data/a "b" ü%', "/mnt/c 'd' \\ ö"


@pytest.mark.parametrize(
    "form",
    [
        str,
        quote,
        lambda path: json.dumps({"x": path}),
        lambda path: json.dumps({"x": path}, ensure_ascii=False),
        lambda path: json.dumps(json.dumps({"x": path})),
        lambda path: json.dumps(json.dumps({"x": path}, ensure_ascii=False)),
        lambda path: f"run 1 of `mlflow ui {path}`, and {path}",
    ],
)
def test_a_path_is_replaced_in_every_form(form):
    below = "/pipeline/7"
    assert replace_folder(form(OLD), Path(OLD), NEW) == form(NEW)
    assert replace_folder(form(OLD + below), Path(OLD), NEW) == form(NEW + below)


def test_a_folder_whose_name_begins_alike_stays():
    assert replace_folder("/a/one2 /a/one.txt /a/one", Path("/a/one"), "/b") == (
        "/a/one2 /a/one.txt /b"
    )


def test_the_innermost_folder_counts():
    folders = [Path("/p/workspace"), Path("/p")]
    text = "/p/workspace/x /p/photos /q"
    assert without_folders(text, folders) == "<folder-0>/x <folder-1>/photos /q"
    reversed_order = without_folders(text, folders[::-1])
    assert reversed_order == "<folder-1>/x <folder-0>/photos /q"


def test_what_lies_around_a_moved_file_has_moved_with_it():
    text = "/a/one/w/runs/7/report.html /a/one/w/mlflow.db /a/other /tmp/x"
    before, now = Path("/a/one/w/runs/7/report.html"), Path("/b/two/w/runs/7/report.html")
    assert (
        moved(text, before, now) == "/b/two/w/runs/7/report.html /b/two/w/mlflow.db /a/other /tmp/x"
    )
    assert moved(text, before, before) == text
