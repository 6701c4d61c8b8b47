"""The page says what the summary says, and its loss never costs the run."""

import errno
import json
import logging
from pathlib import Path

import pytest

from pipeline.report import page
from pipeline.summary import GateSummary, SecondsSummary, Summary


@pytest.fixture
def summary(tmp_path) -> Summary:
    return Summary(
        run_id="20260101-000000",
        status="not_blessed",
        gate=GateSummary(blessed=False, reasons=["accuracy 0.2 is below <min_accuracy>"]),
        report=str(tmp_path / page.PAGE_FILE),
        seconds=SecondsSummary(total=1.0, start=0.5),
    )


def test_a_run_without_artifacts_has_a_page_with_its_verdict(summary, tmp_path):
    assert page.write_pages(summary, {}, tmp_path) == summary
    written = Path(summary.report).read_text()
    assert "20260101-000000" in written
    assert "below &lt;min_accuracy&gt;" in written


def test_a_page_that_cannot_be_made_is_logged_and_leaves_no_file(summary, tmp_path, caplog):
    (tmp_path / "training.json").write_text(json.dumps({"history": 3}))
    with caplog.at_level(logging.ERROR):
        written = page.write_pages(summary, {"model_run": str(tmp_path)}, tmp_path)
    assert written == summary.model_copy(update={"report": None})
    assert "the report could not be written" in caplog.text
    assert not Path(summary.report).exists()


def test_a_full_disk_is_the_users_business(summary, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(page, "write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        page.write_pages(summary, {}, tmp_path)
