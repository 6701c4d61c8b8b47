"""Writes the page about the data of a run: classes, issues, and quarantined files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from components.image_validator.image_measures import open_image
from components.image_validator.measured_images import MeasuredImages
from contracts.artifacts.features import SPLITS
from contracts.artifacts.image_issues import DataReport, Issue
from contracts.artifacts.manifest.dataset import Dataset
from contracts.artifacts.manifest.rows import read_rows
from contracts.system.atomic_files import write_whole
from pipeline.report.charts import histogram
from pipeline.report.data_record import read_data_record
from pipeline.report.templates import template
from pipeline.report.thumbnails import THUMBNAIL_PX, data_uri
from pipeline.summary import DataSummary

PAGE_FILE: Final = "data.html"

# The most that a page shows, so that it opens at once with large data too.
GROUPS_SHOWN, PICTURES_SHOWN = 12, 6
DETAILS_SHOWN, ROWS_SHOWN, CLASSES_SHOWN = 20, 200, 200
_BARS = 32

MEANINGS: Final[dict[str, str]] = {
    "exact_duplicate": "The same pixels more than once.",
    "near_duplicate": "The same picture in another size, format or quality.",
    "cross_split_leak": "The same picture, or one group, in several splits: metrics say too much.",
    "label_conflict": "The same picture under several labels: one of them is wrong.",
    "placeholder": "Drawn pictures among photos, or one picture under many labels.",
    "dark": "Almost black.",
    "light": "Almost white.",
    "blurry": "No sharp edge anywhere.",
    "low_information": "Hardly anything to see.",
    "odd_size": "Much larger or smaller than the others.",
    "odd_aspect": "Much longer or narrower than the others.",
    "grayscale_among_colour": "Without colour, while nearly all others have it.",
    "all_dark_or_flat": "Half of the images or more have hardly any contrast.",
    "class_imbalance": "Far fewer training images than the largest class.",
    "class_too_small": "Too few training images to learn from.",
    "class_missing_in_split": "Nothing to measure the class by.",
    "likely_mislabelled": "A quick model, trained on the others, does not believe the label.",
    "drift": "Unlike the last data that was accepted.",
    "schema_anomaly": "What TensorFlow Data Validation finds in the statistics.",
}


@dataclass(frozen=True)
class ShownIssue:
    """An issue and as much of it as the page shows: pictures in groups, or sentences."""

    issue: Issue
    meaning: str
    groups: list[list[dict[str, str]]]
    details: list[str]
    left_out: int  # findings that are not shown


def write_data_page(path: Path, run_id: str, data: DataSummary) -> None:
    """Write the page about the data of a run, whole or not at all.

    Without a report of ImageValidator it shows what the manifest says.

    Args:
      path: where to.
      run_id: of the run.
      data: where its manifest, examples and report lie.

    Raises:
      OSError: an artifact is gone, or the page cannot be written.
      ValueError: an artifact is damaged.
    """
    record = read_data_record(data)
    page = template("data_page.html").render(
        run_id=run_id,
        data=data,
        reasons=record.reasons,
        notes=record.report.notes,
        value_ranges=record.value_ranges,
        splits=SPLITS,
        classes=_classes(record.dataset),
        **_checked(data, record.report),
        quarantined=_quarantined(data.manifest),
        rows_shown=ROWS_SHOWN,
    )
    write_whole(path, page)


def _checked(data: DataSummary, report: DataReport) -> dict[str, Any]:
    """Return the issues and the distributions of the images; both empty without a report."""
    if not data.report:
        return {"issues": [], "charts": []}
    pictures = MeasuredImages(data.report, data.examples)
    return {
        "issues": [_shown(issue, pictures) for issue in report.issues],
        "charts": _charts(pictures),
    }


def _shown(issue: Issue, pictures: MeasuredImages) -> ShownIssue:
    chosen = _sample(issue.count, GROUPS_SHOWN if issue.groups else DETAILS_SHOWN)
    groups = [_figures(issue.groups[index], pictures) for index in chosen if issue.groups]
    details = [issue.details[index] for index in chosen if issue.details]
    return ShownIssue(issue, MEANINGS[issue.name], groups, details, issue.count - len(chosen))


def _sample(count: int, most: int) -> list[int]:
    """Return at most `most` positions, evenly from all `count`."""
    shown = min(count, most)
    return [number * count // shown for number in range(shown)]


def _figures(group: Sequence[str], pictures: MeasuredImages) -> list[dict[str, str]]:
    """Return the pictures of a group, with a last one that says how many are not shown."""
    rows = pictures.rows_of(group[:PICTURES_SHOWN])
    abouts = zip(pictures.texts("label", rows), pictures.texts("split", rows), strict=True)
    figures = [
        {
            "path": path,
            "about": f"{label}, {split}",
            "thumbnail": data_uri(open_image(pictures.encoded(row), THUMBNAIL_PX)),
        }
        for path, row, (label, split) in zip(group, rows, abouts, strict=False)
    ]
    if len(group) > PICTURES_SHOWN:
        figures.append({"path": f"and {len(group) - PICTURES_SHOWN:,} more"})
    return figures


def _classes(dataset: Dataset) -> dict[str, Any]:
    """Return a row a class, the largest first, and the totals."""
    sizes = {label: sum(counts.values()) for label, counts in dataset.classes.items()}
    by_size = sorted(sizes, key=lambda label: (-sizes[label], label))
    return {
        "rows": [
            {"label": label, **dataset.classes[label], "all": sizes[label]}
            for label in by_size[:CLASSES_SHOWN]
        ],
        "left_out": max(0, len(sizes) - CLASSES_SHOWN),
        "largest": max(sizes.values(), default=1) or 1,
        "splits": dataset.splits,
        "ingested": max(dataset.ingested, 1),
        "empty": dataset.empty_classes,
        "parts": dataset.parts if len(dataset.parts) > 1 else {},
    }


def _charts(pictures: MeasuredImages) -> list[Any]:
    """Return the distributions of size, aspect and brightness over all images."""
    if not len(pictures):
        return []
    width, height = (pictures.numbers(name).astype(float) for name in ("width", "height"))
    sizes = np.sqrt(width * height)
    smallest, largest = float(sizes.min()), float(sizes.max())
    size_edges = np.linspace(smallest, max(largest, smallest + 1), _BARS + 1)
    unit_edges = np.linspace(0, 1, _BARS + 1)
    aspect_edges = np.linspace(0, 3, _BARS + 1)
    return [
        histogram("size (root of width times height)", sizes, size_edges, "px"),
        histogram("aspect (width by height)", width / height, aspect_edges, ""),
        histogram("brightness", pictures.numbers("brightness"), unit_edges, ""),
        histogram("sharpness", pictures.numbers("sharpness"), unit_edges, ""),
    ]


def _quarantined(manifest: str) -> list[dict[str, Any]]:
    """Return the first rows of the files that were left out, by reason."""
    table = read_rows(manifest, ["path", "reason", "detail"])
    left_out = table.filter(pc.is_valid(table["reason"]))
    rows: list[dict[str, Any]] = left_out.sort_by([("reason", "ascending"), ("path", "ascending")])[
        :ROWS_SHOWN
    ].to_pylist()
    return rows
