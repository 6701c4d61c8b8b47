"""`imgpipe data files` and `data diff` list every file."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.artifacts.image_issues import DataReport, Issue
from contracts.artifacts.manifest.dataset import read_dataset
from contracts.artifacts.manifest.file_row import INGESTED, QUARANTINED, FileRow
from contracts.artifacts.manifest.rows import part_writer
from contracts.artifacts.manifest.value_range import ValueRange
from pipeline import cli
from pipeline.summary import DataSummary, SecondsSummary, Summary

RUNS = ("20260101-000000", "20260102-000000")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace of two runs; the second found one image more, and a broken one."""
    for run_id in RUNS:
        manifest = tmp_path / "manifests" / run_id
        with part_writer(str(manifest), "part-00000") as rows:
            rows.add(FileRow("cat/b, c.jpg", "cat", "train", None, INGESTED, sha256="1"))
            if run_id == RUNS[1]:
                rows.add(
                    FileRow(
                        "cat/a.gif",
                        "cat",
                        "test",
                        None,
                        INGESTED,
                        sha256="2",
                        detail="the first of 2 frames",
                    )
                )
                rows.add(
                    FileRow(
                        "cat/broken.jpg",
                        "cat",
                        None,
                        None,
                        QUARANTINED,
                        "too_slow",
                        "takes longer than 30 s",
                        "3",
                    )
                )
        folder = tmp_path / "workspace" / "runs" / run_id
        folder.mkdir(parents=True)
        Summary(
            run_id=run_id,
            status="partial",
            data=DataSummary(manifest=str(manifest)),
            seconds=SecondsSummary(total=1, start=1),
        ).write(folder)
    return tmp_path / "workspace"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert cli.main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_a_row_a_file_as_csv_and_json(workspace, capsys):
    text = printed(capsys, "data", "files", "--csv", "--workspace", workspace)
    assert text.startswith("path,label,split,status,reason,detail\n")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["path"] for row in rows] == ["cat/a.gif", "cat/b, c.jpg", "cat/broken.jpg"]
    assert list(rows[0].values())[1:] == ["cat", "test", "ingested", "", "the first of 2 frames"]
    assert (rows[2]["status"], rows[2]["reason"]) == ("quarantined", "too_slow")
    same = json.loads(printed(capsys, "data", "files", "--json", "--workspace", workspace))
    assert [{key: value or "" for key, value in row.items()} for row in same] == rows
    first = printed(capsys, "data", "files", RUNS[0], "--csv", "--workspace", workspace)
    assert len(first.splitlines()) == 2


def test_the_counts_come_with_reasons_and_the_next_command(workspace, capsys):
    lines = printed(capsys, "data", "files", "--workspace", workspace).splitlines()
    assert lines[0] == f"Run {RUNS[1]}: 3 files found, 2 ingested, 1 quarantined."
    assert lines[1:3] == [
        "Ingested in part (1): cat/a.gif (the first of 2 frames)",
        "Quarantined, too slow (1): cat/broken.jpg",
    ]
    assert lines[3].endswith(f"imgpipe data files --workspace {workspace} {RUNS[1]} --csv")


def test_what_changed_between_two_runs(workspace, capsys):
    lines = printed(capsys, "data", "diff", *RUNS, "--workspace", workspace).splitlines()
    assert lines == ["Added (2): cat/a.gif (cat), cat/broken.jpg (cat)"]
    found = json.loads(printed(capsys, "data", "diff", *RUNS, "--json", "--workspace", workspace))
    assert [row["path"] for row in found["added"]] == ["cat/a.gif", "cat/broken.jpg"]
    assert set(found) == {"added", "removed", "changed", "relabelled", "renamed", "resplit"}
    same = printed(capsys, "data", "diff", RUNS[0], RUNS[0], "--workspace", workspace)
    assert same == f"The same images in {RUNS[0]} and {RUNS[0]}.\n"


def test_a_run_without_a_record_of_its_files_is_said_so(workspace, capsys):
    folder = workspace / "runs" / "20260103-000000"
    folder.mkdir()
    assert cli.main(["data", "files", "--workspace", str(workspace)]) == 2
    assert "run 20260103-000000 has left no record of its files" in capsys.readouterr().err
    assert cli.main(["data", "diff", RUNS[0], "never", "--workspace", str(workspace)]) == 2
    assert "no run 'never'" in capsys.readouterr().err


def recorded(workspace: Path, data: DataSummary) -> None:
    folder = workspace / "runs" / "20260104-000000"
    folder.mkdir(parents=True)
    seconds = SecondsSummary(total=1, start=1)
    Summary(run_id=folder.name, status="partial", data=data, seconds=seconds).write(folder)


def test_data_report_names_what_was_found_and_writes_the_page(tmp_path, made_data, capsys):
    made = made_data()
    report = DataReport([Issue("dark", "fail", 1, [[made.names[0]]])], ["a note"])
    recorded(tmp_path, made.found(report))
    lines = printed(capsys, "data", "report", "--workspace", tmp_path).splitlines()
    assert lines[:3] == [
        "Run 20260104-000000: its data is not to be trained on.",
        "fail  dark: 1",
        "a note",
    ]
    page = Path(lines[3].removeprefix("Page: "))
    assert "Not to be trained on." in page.read_text()
    found = json.loads(printed(capsys, "data", "report", "--json", "--workspace", tmp_path))
    assert found["issues"][0]["groups"] == [[made.names[0]]]


def test_data_report_of_a_run_without_a_record_is_refused(workspace, capsys):
    (workspace / "runs" / "20260103-000000").mkdir()
    assert cli.main(["data", "report", "--workspace", str(workspace)]) == 2
    assert "run 20260103-000000 has left no record of its files" in capsys.readouterr().err


def test_data_report_of_a_refused_ingestion_says_why(tmp_path, made_data, capsys):
    recorded(tmp_path, made_data().refused())
    lines = printed(capsys, "data", "report", "--workspace", tmp_path).splitlines()
    assert lines[0] == "Run 20260104-000000: its data is not to be trained on."
    assert "expected a readable image in every split, found none for validation and" in lines[1]
    assert lines[2].startswith("3 of 43 files were left out: 3 truncated, e.g. a/broken <0>.jpg")
    page = Path(lines[3].removeprefix("Page: ")).read_text()
    assert "Not to be trained on." in page
    assert "a/broken &lt;2&gt;.jpg" in page
    found = json.loads(printed(capsys, "data", "report", "--json", "--workspace", tmp_path))
    assert found == {"reasons": lines[1:3], "issues": [], "notes": [], "value_ranges": {}}


def test_data_report_of_images_that_were_not_checked_says_how_to_check_them(
    tmp_path, made_data, capsys
):
    data = made_data().summary.model_copy(update={"blessed": None, "report": ""})
    recorded(tmp_path, data)
    said = printed(capsys, "data", "report", "--workspace", tmp_path)
    assert said.startswith("Run 20260104-000000: its images were not checked.")
    assert "--to ImageValidator` checks them." in said


def test_the_range_of_deep_images_is_shown_wherever_the_data_is(tmp_path, made_data, capsys):
    made = made_data()
    ranges = {"integer": ValueRange(0, 4095, 40)}
    manifest = made.summary.manifest
    replace(read_dataset(manifest), value_ranges=ranges).write(manifest)
    data = made.found(DataReport([])).model_copy(update={"value_ranges": ranges})
    recorded(tmp_path, data)
    said = "Images of more than 8 bits are read with 0 as black and 4095 as white: "
    lines = printed(capsys, "data", "report", "--workspace", tmp_path).splitlines()
    assert lines[1].startswith(said)
    assert said in Path(lines[2].removeprefix("Page: ")).read_text()
    found = json.loads(printed(capsys, "data", "report", "--json", "--workspace", tmp_path))
    expected = {"integer": {"low": 0, "high": 4095, "images": 40, "source": "sample"}}
    assert found["value_ranges"] == expected
    summary = json.loads(printed(capsys, "status", "--json", "--workspace", tmp_path))
    assert summary["data"]["value_ranges"] == expected


def test_what_is_wrong_with_no_single_image_is_said_in_words(tmp_path, made_data, capsys):
    issues = [Issue("drift", "warn", 2, details=["a moved", "b moved"])]
    recorded(tmp_path, made_data().found(DataReport(issues)))
    lines = printed(capsys, "data", "report", "--workspace", tmp_path).splitlines()
    assert lines[1] == "warn  drift: 2; a moved and 1 more"


def test_artifacts_that_are_gone_are_a_sentence(tmp_path, made_data, capsys):
    made = made_data()
    report = DataReport([Issue("dark", "warn", 1, [[made.names[0]]])])
    recorded(tmp_path, made.found(report))
    for shard in Path(made.summary.examples).rglob("data_tfrecord*"):
        shard.unlink()
    assert cli.main(["data", "report", "--workspace", str(tmp_path)]) == 2
    assert "the artifacts of run 20260104-000000 are gone or damaged" in capsys.readouterr().err
    for measures in Path(made.report).rglob("*.parquet"):
        measures.unlink()
    assert cli.main(["data", "report", "--workspace", str(tmp_path)]) == 2
    assert "no measures of" in capsys.readouterr().err
