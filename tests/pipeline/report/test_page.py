"""The page says what the summary says, and its loss never costs the run."""

import errno
import json
import logging
from pathlib import Path

import pytest
from PIL import Image

from components.augmenter.report import BATCH, MOSAICS, AugmentationReport
from contracts.augmentation_policy import Policy
from pipeline.report import page
from pipeline.summary import AugmentationSummary, GateSummary, SecondsSummary, Summary


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


def test_the_page_shows_what_augmentation_does_and_where_it_destroys_meaning(summary, tmp_path):
    (tmp_path / MOSAICS).mkdir()
    files = {name: f"{MOSAICS}/{name}.png" for name in ("rotate", BATCH)}
    for file in files.values():
        Image.new("RGB", (400, 300), (9, 120, 200)).save(tmp_path / file)
    AugmentationReport(Policy(), files).write(str(tmp_path))
    augmentation = AugmentationSummary(
        report=str(tmp_path), warnings=["rotate: takes <6> for 9"], notes=["4 copies"]
    )
    shown = summary.model_copy(update={"augmentation": augmentation})
    assert page.write_pages(shown, {}, tmp_path) == shown
    written = Path(summary.report).read_text()
    assert "takes &lt;6&gt; for 9" in written
    assert "4 copies" in written
    assert written.count("data:image/jpeg;base64,") == 2
    assert written.index("a training batch") < written.index("rotate: before and after")


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
