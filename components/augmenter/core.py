"""Transformed examples and a policy -> what the policy does, shown, probed and partly done."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from components.augmenter.changing import Change, changing, single_policies
from components.augmenter.copies import write_copies
from components.augmenter.mosaic import draw_batch, draw_operation
from components.augmenter.probe import ProbeReport, probe
from components.augmenter.report import BATCH, MOSAICS, AugmentationReport
from components.augmenter.sample import Sample, read_sample
from contracts import features
from contracts.augmentation import AugmentationConfig
from contracts.augmentation_policy import Policy, PolicyOperation, resolve
from contracts.progress import report
from trainer.data import ImageDataset

Array = npt.NDArray[Any]

IMAGES_PROBED: Final = 800
_ROWS, _RESULTS, _IN_BATCH = 5, 7, 24
_ALWAYS_THE_SAME: Final = frozenset({"flip_horizontal", "flip_vertical"})


def augment(
    dataset: ImageDataset, config: AugmentationConfig, seed: int, uris: tuple[str, str]
) -> AugmentationReport:
    """Write mosaics and changed copies, ask the probe, and return the report, not written yet.

    Args:
      dataset: transformed examples; only the training split is read.
      config: the section.
      seed: of all that is random.
      uris: where the mosaics go, and where the copies go.

    Raises:
      ComponentError: an exception names an unknown class, or the backend is not installed.
    """
    policy, labels = resolve(config), dataset.labels
    policy.require_known_exceptions(labels)
    least = config.materialise.min_examples
    maker = changing(policy.without_mixing(), labels, seed, config.backend) if least else None
    copies = write_copies(dataset, uris[1], least, maker)
    if policy.is_empty or not dataset.examples.get(features.TRAIN):
        return AugmentationReport(policy, copies=copies)
    sample = read_sample(dataset, IMAGES_PROBED, seed)
    singles = {
        name: (single, changing(single, labels, seed, config.backend))
        for name, single in single_policies(policy).items()
    }
    mosaics = _mosaics(sample, labels, singles, uris[0])
    whole = changing(policy, labels, seed, config.backend)
    mosaics[BATCH] = _batch_mosaic(sample, labels, whole, seed, uris[0])
    found: ProbeReport | None = None
    if config.probe == "warn" and policy.changes_images:
        report(0, 0, "images", "asking the probe")
        found = probe(sample, labels, singles)
    return AugmentationReport(policy, mosaics, found, copies)


def _mosaics(
    sample: Sample, labels: tuple[str, ...], singles: dict[str, tuple[Policy, Change]], uri: str
) -> dict[str, str]:
    """Draw a picture of each operation, of images that are not spared; return the files."""
    files = {}
    for name, (policy, change) in singles.items():
        spared = {label for one in policy.operations for label in one.exceptions}
        rows = _one_a_class(sample, [label not in spared for label in labels])
        if not len(rows):
            continue
        count = 1 if name in _ALWAYS_THE_SAME else _RESULTS
        shown = sample.take(np.repeat(rows, count))
        changed, _ = change(shown.pixels, shown.targets(len(labels)))
        results = changed.reshape(len(rows), count, *changed.shape[1:])
        drawn = [
            (labels[sample.classes[row]], sample.pixels[row], result)
            for row, result in zip(rows, results, strict=True)
        ]
        files[name] = f"{MOSAICS}/{name}.png"
        draw_operation(Path(uri, files[name]), _title(name, policy), drawn)
    return files


def _one_a_class(sample: Sample, is_shown: list[bool]) -> Array:
    """Return rows of images, each of another class where there are so many."""
    rows: list[int] = []
    turns = np.argsort(_turns(sample.classes), kind="stable")
    for row in turns:
        if is_shown[sample.classes[row]] and len(rows) < _ROWS:
            rows.append(int(row))
    return np.array(rows, np.int64)


def _turns(classes: Array) -> Array:
    """Return how many images of the same class stand before each."""
    seen: dict[int, int] = {}
    turns = []
    for label in classes.tolist():
        turns.append(seen.get(label, 0))
        seen[label] = turns[-1] + 1
    return np.array(turns)


def _batch_mosaic(
    sample: Sample, labels: tuple[str, ...], change: Change, seed: int, uri: str
) -> str:
    rows = np.random.default_rng(seed).permutation(len(sample))[:_IN_BATCH]
    shown = sample.take(rows)
    before = (shown.pixels, shown.targets(len(labels)))
    file = f"{MOSAICS}/{BATCH}.png"
    draw_batch(Path(uri, file), "A training batch", before, change(*before), labels)
    return file


def _title(name: str, policy: Policy) -> str:
    if policy.rand_augment:
        taken = policy.rand_augment
        return f"RandAugment: {taken.operations} operations at magnitude {taken.magnitude:g}"
    (operation,) = policy.operations
    return f"{name}{_strength(operation)}"


def _strength(operation: PolicyOperation) -> str:
    if operation.range is None:
        return ""
    low, high = operation.range
    return f": {low:g} to {high:g} {operation.unit}"
