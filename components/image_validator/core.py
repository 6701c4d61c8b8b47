"""Measures of the images -> the issues of the data."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from components.image_validator.checks.appearance import contrasts, find_odd_images
from components.image_validator.checks.classes import Counts, find_odd_classes
from components.image_validator.checks.duplicates import Duplicates, find_duplicates, group_rows
from components.image_validator.checks.mislabelled import find_mislabelled
from components.image_validator.measured_images import MeasuredImages
from contracts.artifacts import features
from contracts.artifacts.image_issues import DataReport, Issue
from contracts.config.validation import CHECKS, ValidationConfig

Array = npt.NDArray[Any]

# From so many copies on, an image under several labels is a placeholder.
_REPEATED = 3


@dataclass(frozen=True)
class CheckedData:
    """The input of the checks.

    Args:
      pictures: the measured images.
      groups: the group by `data.group_by` of each path that has one.
      counts: ingested images, by class and split.
      anomalies: TFDV's anomalies, a sentence each.
      drift: differences from the last accepted data, a sentence each.
      seed: of the quick model of `find_mislabelled`.
    """

    pictures: MeasuredImages
    counts: Counts
    groups: Mapping[str, str] = field(default_factory=dict)
    anomalies: Sequence[str] = ()
    drift: Sequence[str] = ()
    seed: int = 0


def find_issues(evidence: CheckedData, config: ValidationConfig) -> DataReport:
    """Return the issues of all checks that are not off, those of severity `fail` first."""
    notes: list[str] = []
    found = {**_check_images(evidence, config), **_check_classes(evidence, config)}
    if config.likely_mislabelled.severity != "off":
        threshold = config.likely_mislabelled.threshold
        rows, notes = find_mislabelled(evidence.pictures, threshold, evidence.seed)
        found["likely_mislabelled"] = _Findings(_singles(evidence.pictures, rows))
    found["schema_anomaly"] = _Findings(details=list(evidence.anomalies))
    found["drift"] = _Findings(details=list(evidence.drift))
    issues = list(_issues(found, config))
    return DataReport(sorted(issues, key=lambda issue: issue.severity != "fail"), notes)


@dataclass(frozen=True)
class _Findings:
    """The findings of a check: groups of paths, or sentences, or one of both for each finding."""

    groups: list[list[str]] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


# Checks whose threshold is the number of findings from which on they are reported.
_COUNTED = (
    *("exact_duplicate", "cross_split_leak", "label_conflict"),
    *("class_missing_in_split", "schema_anomaly"),
)


def _issues(found: Mapping[str, _Findings], config: ValidationConfig) -> Iterator[Issue]:
    for name in CHECKS:
        check = config.check(name)
        one = found.get(name, _Findings())
        count = max(len(one.groups), len(one.details))
        least = int(check.threshold) if name in _COUNTED else 1
        if check.severity != "off" and count >= least:
            yield Issue(name, check.severity, count, one.groups, one.details, least)


def _check_images(evidence: CheckedData, config: ValidationConfig) -> dict[str, _Findings]:
    pictures = evidence.pictures
    same = find_duplicates(pictures, config.near_duplicate.threshold)
    odd = find_odd_images(pictures, config)
    found = {
        name: _Findings(_singles(pictures, np.flatnonzero(is_odd))) for name, is_odd in odd.items()
    }
    found["placeholder"] = _find_placeholders(pictures, same, odd["placeholder"])
    flatness = _check_flatness(pictures, config.all_dark_or_flat.threshold)
    found["all_dark_or_flat"] = _Findings(details=flatness)
    exact, alike = group_rows(same.exact), group_rows(same.alike)
    near = [rows for rows in alike if len(np.unique(same.exact[rows])) > 1]
    found["exact_duplicate"] = _Findings(_paths(pictures, exact))
    found["near_duplicate"] = _Findings(_paths(pictures, near))
    conflicts = [rows for rows in alike if len(np.unique(pictures.numbers("label")[rows])) > 1]
    found["label_conflict"] = _Findings(_paths(pictures, conflicts))
    found["cross_split_leak"] = _find_leaks(evidence, alike)
    return found


def _check_flatness(pictures: MeasuredImages, threshold: float) -> list[str]:
    """Return a sentence if the images are dark or flat on the whole."""
    contrast = float(np.median(contrasts(pictures))) if len(pictures) else 1.0
    if contrast >= threshold:
        return []
    brightness = float(np.median(pictures.numbers("brightness")))
    return [
        f"the median contrast of the {len(pictures):,} images is {contrast:.3f}, below "
        f"{threshold:g} (validation.all_dark_or_flat.threshold), their median brightness "
        f"{brightness:.3f}. Look at some of them; data.value_range sets what is black and "
        "white in images of more than 8 bits"
    ]


def _find_placeholders(pictures: MeasuredImages, same: Duplicates, is_drawn: Array) -> _Findings:
    """Return drawn images, equal ones together, and images that repeat under several labels."""
    labels = pictures.numbers("label")
    is_placeholder = is_drawn.copy()
    for rows in group_rows(same.exact):
        if len(rows) >= _REPEATED and len(np.unique(labels[rows])) > 1:
            is_placeholder[rows] = True
    rows = np.flatnonzero(is_placeholder)
    order = rows[np.argsort(same.exact[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(same.exact[order])) + 1
    return _Findings(_paths(pictures, np.split(order, starts) if len(order) else []))


def _find_leaks(evidence: CheckedData, alike: Sequence[Array]) -> _Findings:
    """Return the images and the groups of `data.group_by` that are in several splits."""
    pictures = evidence.pictures
    splits = pictures.numbers("split")
    of_pictures = [rows for rows in alike if len(np.unique(splits[rows])) > 1]
    members: dict[str, list[int]] = defaultdict(list)
    rows_of_groups = pictures.rows_of(list(evidence.groups))
    for group, row in zip(evidence.groups.values(), rows_of_groups, strict=True):
        members[group].append(row)
    of_groups = {
        group: np.array(rows)
        for group, rows in sorted(members.items())
        if len(np.unique(splits[rows])) > 1
    }
    groups = _paths(pictures, [*of_pictures, *of_groups.values()])
    if not of_groups:
        return _Findings(groups)
    details = ["the same picture"] * len(of_pictures)
    details += [f"the group {group} of data.group_by" for group in of_groups]
    return _Findings(groups, details)


def _check_classes(evidence: CheckedData, config: ValidationConfig) -> dict[str, _Findings]:
    """Return the odd classes; for classes that are too small, their images too."""
    odd = find_odd_classes(evidence.counts, config)
    found = {name: _Findings(details=[one.detail for one in some]) for name, some in odd.items()}
    small = odd["class_too_small"]
    pictures = evidence.pictures
    is_training = pictures.is_text("split", features.TRAIN)
    rows = [np.flatnonzero(is_training & pictures.is_text("label", one.label)) for one in small]
    found["class_too_small"] = _Findings(_paths(pictures, rows), found["class_too_small"].details)
    return found


def _paths(pictures: MeasuredImages, groups: Sequence[Array]) -> list[list[str]]:
    return [pictures.texts("path", rows) for rows in groups]


def _singles(pictures: MeasuredImages, rows: Array) -> list[list[str]]:
    return [[path] for path in pictures.texts("path", rows)]
