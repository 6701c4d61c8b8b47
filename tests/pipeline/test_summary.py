"""The summary of a run, read again."""

import argparse
import io
import json
import sys

import pytest

from pipeline.commands import status
from pipeline.summary import (
    SUMMARY_FILE,
    AugmentationSummary,
    DataSummary,
    GateSummary,
    MetricsSummary,
    SecondsSummary,
    Summary,
    TrackedSummary,
    read_summary,
)
from pipeline.summary_table import print_summary
from pipeline.workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path)


def test_a_summary_is_read_as_it_was_written(workspace):
    folder = workspace.new_run()
    written = Summary(
        run_id=folder.name, status="blessed", seconds=SecondsSummary(total=2.0, start=1.0)
    )
    written.write(folder)
    assert read_summary(workspace, folder.name) == written
    assert [path.name for path in folder.iterdir()] == [SUMMARY_FILE]


@pytest.mark.parametrize("named_by", ["workspace", "report"])
def test_the_paths_of_a_moved_workspace_are_those_of_today(tmp_path, named_by):
    before, now = Workspace(tmp_path / "one"), Workspace(tmp_path / 'two "ö"')
    folder = before.new_run()
    named = {"workspace": str(before.root), "report": str(folder / "report.html")}
    Summary(
        run_id=folder.name,
        status="blessed",
        pushed_path=str(before.serving("toys") / "1"),
        data=DataSummary(layout="two top folders", manifest="/elsewhere/one/manifest"),
        seconds=SecondsSummary(total=2.0, start=1.0),
        **{named_by: named[named_by]},
    ).write(folder)
    before.root.rename(now.root)
    read = read_summary(now, folder.name)
    assert read.pushed_path == str(now.serving("toys") / "1")
    assert read.data.manifest == "/elsewhere/one/manifest"


def test_where_a_training_is_tracked_is_a_line_and_so_is_what_is_missing(workspace):
    folder = workspace.new_run()
    tracked = [
        TrackedSummary(tracker="MLflow", place="run a of `mlflow ui`"),
        TrackedSummary(tracker="CSV", place="history.csv", trouble="1 of 2 messages lost"),
    ]
    seconds = SecondsSummary(total=2.0, start=1.0)
    summary = Summary(run_id=folder.name, status="blessed", tracked=tracked, seconds=seconds)
    printed = io.StringIO()
    print_summary(summary, folder, "imgpipe status", printed)
    lines = [line for line in printed.getvalue().splitlines() if line.startswith("tracked")]
    assert lines == [
        "tracked     MLflow: run a of `mlflow ui`",
        "tracked     CSV: history.csv; 1 of 2 messages lost",
    ]


@pytest.mark.parametrize("content", [None, "", "{", '{"run_id": 3}'])
def test_a_summary_that_cannot_be_read_is_as_good_as_none(workspace, content):
    folder = workspace.new_run()
    if content is not None:
        (folder / SUMMARY_FILE).write_text(content)
    assert read_summary(workspace, folder.name) is None


def test_status_of_a_run_without_a_summary_is_json_where_asked(workspace, capsys):
    folder = workspace.new_run()
    args = argparse.Namespace(workspace=workspace.root, run=None, json=True)
    assert status.run(args) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["run_id"], printed["status"]) == (folder.name, "unfinished")
    assert printed["log"] == str(folder / "run.log")


def test_warnings_of_the_probe_are_printed_with_the_place_of_the_pictures(workspace, capsys):
    summary = Summary(
        run_id="x",
        status="blessed",
        augmentation=AugmentationSummary(
            warnings=["rotate: 6 for 9"], notes=["two classes"], mosaics="/w/mosaics"
        ),
        seconds=SecondsSummary(total=2.0, start=1.0),
    )
    print_summary(summary, workspace.root, "imgpipe status", sys.stdout)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in ("warning rotate: 6 for 9", "note two classes", "mosaics /w/mosaics"):
        assert line in lines


def test_a_blessing_is_printed_with_its_interval_floor_and_warning(workspace, capsys):
    summary = Summary(
        run_id="x",
        status="blessed",
        metrics=MetricsSummary(
            accuracy=0.6667,
            accuracy_interval=(0.4782, 0.8136),
            largest_class="cat",
            largest_class_share=0.6296,
        ),
        gate=GateSummary(blessed=True, reasons=["is above 0.6296"], warnings=["27 are few"]),
        seconds=SecondsSummary(total=2.0, start=1.0),
    )
    print_summary(summary, workspace.root, "imgpipe status", sys.stdout)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    verdict = lines.index("verdict blessed")
    assert lines[verdict + 1 : verdict + 3] == ["is above 0.6296", "warning 27 are few"]
    assert (
        "accuracy 0.6667 (95 % interval 0.4782 to 0.8136) on the test split; no champion yet; "
        "always cat, the largest class: 0.6296"
    ) in lines
