"""Writes the page about a run: verdict, metrics, learning curves and the worst mistakes."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contracts.artifacts.evaluation import Metrics
from contracts.artifacts.manifest.dataset import Dataset, read_dataset
from contracts.artifacts.training_record import TrainingRecord
from contracts.images.reading import ImageReading
from contracts.system.atomic_files import write_whole
from contracts.system.full_disk import is_disk_full
from contracts.system.storage.remote_path import Root
from pipeline.report.charts import curve
from pipeline.report.data_page import write_data_page
from pipeline.report.mistakes import worst_mistakes
from pipeline.report.model_card import read_card
from pipeline.report.model_pictures import read_model_pictures
from pipeline.report.mosaics import mosaics_in
from pipeline.report.templates import template
from pipeline.summary import Summary

LOGGER = logging.getLogger(__name__)

PAGE_FILE = "report.html"
# Confusion matrices of more classes are left out: they cannot be read.
LARGEST_MATRIX = 30
CURVES = ("loss", "accuracy", "learning_rate")


def write_pages(summary: Summary, uris: Mapping[str, str], data_root: Root) -> Summary:
    """Write the pages that the summary names; return the summary without those that failed.

    A page is written whole or not at all. A failure changes nothing else of the run; the log holds
    the reason.

    Args:
      summary: of the run.
      uris: the places of the artifacts `manifest`, `model_run` and `evaluation`, as far as they
        are there.
      data_root: the folder that paths in the manifest are relative to.

    Raises:
      OSError: the disk is full.
    """
    data = summary.data
    if data.page and not _is_written(
        lambda: write_data_page(Path(data.page), summary.run_id, data)
    ):
        data = data.model_copy(update={"page": ""})
        summary = summary.model_copy(update={"data": data})
    report = summary.report
    if report and not _is_written(
        lambda: write_whole(Path(report), _page(summary, uris, data_root))
    ):
        summary = summary.model_copy(update={"report": None})
    return summary


def _is_written(write: Callable[[], None]) -> bool:
    try:
        write()
    except Exception as error:
        if is_disk_full(error):
            raise
        LOGGER.exception("the report could not be written")
        return False
    return True


def _page(summary: Summary, uris: Mapping[str, str], data_root: Root) -> str:
    parts: dict[str, Any] = {"summary": summary}
    if "manifest" in uris:
        parts["dataset"] = _with_totals(read_dataset(uris["manifest"]))
    if "model_run" in uris:
        record = TrainingRecord.read(uris["model_run"])
        parts["record"] = record
        parts["curves"] = [
            curve(name.replace("_", " "), series, record.best_epoch)
            for name in CURVES
            if (series := _curves(record, name))
        ]
        parts["card"] = read_card(Path(uris["model_run"]))
        parts["model_pictures"] = read_model_pictures(Path(uris["model_run"]))
    if summary.augmentation.report:
        parts["mosaics"] = mosaics_in(summary.augmentation.report)
    if "evaluation" in uris:
        evaluation = Path(uris["evaluation"])
        reading = ImageReading.read(Path(summary.data.examples))
        metrics = Metrics.read(evaluation)
        parts["metrics"] = metrics
        parts["matrix"] = metrics.confusion if len(metrics.labels) <= LARGEST_MATRIX else None
        parts["mistakes"] = worst_mistakes(evaluation, data_root, reading)
    return template("page.html").render(parts)


def _with_totals(dataset: Dataset) -> dict[str, Any]:
    rows = {
        label: {**splits, "all": sum(splits.values())} for label, splits in dataset.classes.items()
    }
    largest = max((row["all"] for row in rows.values()), default=1) or 1  # a refused run has none
    return {"counts": dataset, "rows": rows, "largest": largest}


def _curves(record: TrainingRecord, name: str) -> dict[str, list[float]]:
    if name == "learning_rate":
        return {"": record.history[name]} if name in record.history else {}
    named = {"training": name, "validation": f"val_{name}"}
    return {label: record.history[key] for label, key in named.items() if key in record.history}
