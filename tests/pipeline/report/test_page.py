"""The page agrees with the summary; a page that cannot be written fails no run."""

import base64
import errno
import io
import json
import logging
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contracts.artifacts.augmentation_report import BATCHES, MOSAICS, AugmentationFindings
from contracts.artifacts.training_record import (
    CARD_FOLDER,
    NO_CARD_FILE,
    PICTURES_FILE,
    PICTURES_FOLDER,
    TrainingRecord,
)
from contracts.config.augmentation.policy import Policy
from pipeline.report import page
from pipeline.summary import (
    AugmentationSummary,
    GateSummary,
    SecondsSummary,
    Summary,
    TrackedSummary,
)


@pytest.fixture
def summary(tmp_path) -> Summary:
    return Summary(
        run_id="20260101-000000",
        status="not_blessed",
        gate=GateSummary(
            blessed=False,
            reasons=["accuracy 0.2 is below <min_accuracy>"],
            warnings=["9 images <are> few"],
        ),
        report=str(tmp_path / page.PAGE_FILE),
        seconds=SecondsSummary(total=1.0, start=0.5),
    )


def test_a_run_without_artifacts_has_a_page_with_its_verdict(summary, tmp_path):
    assert page.write_pages(summary, {}, tmp_path) == summary
    written = Path(summary.report).read_text()
    assert "20260101-000000" in written
    assert "below &lt;min_accuracy&gt;" in written
    assert "9 images &lt;are&gt; few" in written


def test_the_page_shows_what_augmentation_does_and_where_it_destroys_meaning(summary, tmp_path):
    (tmp_path / MOSAICS).mkdir()
    files = {name: f"{MOSAICS}/{name}.png" for name in ("rotate", "mixup", *BATCHES)}
    for file in files.values():
        Image.new("RGB", (400, 300), (9, 120, 200)).save(tmp_path / file)
    AugmentationFindings(Policy(), files).write(str(tmp_path))
    augmentation = AugmentationSummary(
        report=str(tmp_path), warnings=["rotate: takes <6> for 9"], notes=["4 copies"]
    )
    shown = summary.model_copy(update={"augmentation": augmentation})
    assert page.write_pages(shown, {}, tmp_path) == shown
    written = Path(summary.report).read_text()
    assert "takes &lt;6&gt; for 9" in written
    assert "4 copies" in written
    assert written.count("data:image/jpeg;base64,") == 4
    shown_names = ["whole training batch 1", "whole training batch 2", "rotate", "MixUp"]
    assert re.findall('alt="(.*): before and after"', written) == shown_names


def test_the_page_carries_the_pictures_of_the_model_and_says_what_is_missing(summary, tmp_path):
    record = TrainingRecord({"loss": [2.0, 1.0], "learning_rate": [0.1, 0.0]}, 1, 4, 2.0, 77)
    record.write(str(tmp_path))
    folder = tmp_path / PICTURES_FOLDER
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "grad_cam.png")
    drawn = {
        "pictures": [
            {
                "name": "learning_curves",
                "file": "gone.png",
                "title": "Curves",
                "caption": "By heart?",
            },
            {
                "name": "grad_cam",
                "file": "grad_cam.png",
                "title": "Grad-CAM",
                "caption": "Why <so>.",
            },
        ],
        "left_out": [{"name": "filters", "title": "Filters", "reason": "no convolution."}],
    }
    (folder / PICTURES_FILE).write_text(json.dumps(drawn))
    tracked = [TrackedSummary(tracker="CSV", place="/a/history.csv", trouble="1 of 2 lost")]
    followed = summary.model_copy(update={"tracked": tracked})
    assert page.write_pages(followed, {"model_run": str(tmp_path)}, tmp_path) == followed
    written = Path(summary.report).read_text()
    assert "Inside the model" in written
    assert "Why &lt;so&gt;." in written
    assert "By heart?" in written
    assert "No picture of filters: no convolution." in written
    assert "CSV: /a/history.csv; 1 of 2 lost" in written
    (encoded,) = re.findall(r'src="data:image/webp;base64,([^"]+)" width="400"', written)
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        assert (image.format, image.size) == ("WEBP", (400, 300))
    assert len(encoded) < (folder / "grad_cam.png").stat().st_size


def test_the_page_says_what_auto_has_come_to(summary, tmp_path):
    record = TrainingRecord(
        {"loss": [2.0]},
        0,
        4,
        2.0,
        77,
        batch_size=2048,
        learning_rate=0.0123456,
        rates_tried={"rates": [0.1], "losses": [1.0]},
        devices="GPU:0",
        precision="mixed_bfloat16",
    )
    record.write(str(tmp_path))
    page.write_pages(summary, {"model_run": str(tmp_path)}, tmp_path)
    written = " ".join(Path(summary.report).read_text().split())
    assert (
        "2,048 images a step, learning rate 0.0123 (found by trial), on GPU:0 in mixed_bfloat16."
        in written
    )


def test_a_training_of_one_epoch_is_a_point_on_each_curve(summary, tmp_path):
    history = {"loss": [2.0], "val_loss": [1.0], "accuracy": [0.5], "val_accuracy": [0.75]}
    TrainingRecord(history, 0, 4, 2.0, 77).write(str(tmp_path))
    page.write_pages(summary, {"model_run": str(tmp_path)}, tmp_path)
    points = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', Path(summary.report).read_text())
    assert len(set(points)) == 2  # the higher and the lower end of both charts
    assert len(points) == 4


def test_the_page_says_why_there_is_no_model_card(summary, tmp_path):
    TrainingRecord({"loss": [2.0]}, 0, 4, 2.0, 77).write(str(tmp_path))
    (tmp_path / CARD_FOLDER).mkdir()
    (tmp_path / CARD_FOLDER / NO_CARD_FILE).write_text("RuntimeError: <not a word>")
    page.write_pages(summary, {"model_run": str(tmp_path)}, tmp_path)
    written = Path(summary.report).read_text()
    assert "No model card: RuntimeError: &lt;not a word&gt;" in written
    assert "The model:" not in written


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
