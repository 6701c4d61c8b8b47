"""Transformed examples and a policy -> pictures, the findings of the probe, and copies."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from components.augmenter.batch_augmenter import (
    AugmentBatch,
    batch_augmenter,
    mixing_policies,
    single_policies,
)
from components.augmenter.copies import write_copies
from components.augmenter.mosaic import draw_batch, draw_operation
from components.augmenter.probe import probe
from components.augmenter.probe_sample import ProbeSample, read_sample
from contracts.artifacts import features
from contracts.artifacts.augmentation_report import (
    BATCHES,
    MOSAICS,
    AugmentationFindings,
    ProbeReport,
)
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.augmentation.policy import Policy, PolicyOperation, resolve_policy
from contracts.system.progress import report_progress

Array = npt.NDArray[Any]

IMAGES_PROBED: Final = 800
_ROWS, _RESULTS, _IN_BATCH = 5, 7, 16
_ALWAYS_THE_SAME: Final = frozenset(
    {"flip_horizontal", "flip_vertical", "auto_contrast", "equalize"}
)


def augment(
    dataset: ImageDataset, config: AugmentationConfig, seed: int, uris: tuple[str, str]
) -> AugmentationFindings:
    """Write mosaics and augmented copies, run the probe, and return the report.

    Args:
      dataset: transformed examples; only the training split is read.
      config: the section.
      seed: of everything random.
      uris: the folder of the mosaics and the folder of the copies.

    Raises:
      ComponentError: an exception names an unknown class, or the backend is not installed.
    """
    policy, labels = resolve_policy(config), dataset.labels
    policy.require_known_exceptions(labels)
    least = config.materialise.min_examples
    maker = (
        batch_augmenter(policy.without_mixing(), labels, seed, config.backend) if least else None
    )
    copies = write_copies(dataset, uris[1], least, maker)
    if policy.is_empty or not dataset.examples.get(features.TRAIN):
        return AugmentationFindings(policy, copies=copies)
    sample = read_sample(dataset, IMAGES_PROBED, seed)
    singles = {
        name: (single, batch_augmenter(single, labels, seed, config.backend))
        for name, single in single_policies(policy).items()
    }
    mosaics = _draw_mosaics(sample, labels, singles, uris[0])
    mosaics |= _draw_batch_mosaics(
        sample, labels, _titled_batches(policy, labels, config, seed), seed, uris[0]
    )
    found: ProbeReport | None = None
    if config.probe == "warn" and policy.changes_images:
        report_progress(0, 0, "images", "asking the probe")
        found = probe(sample, labels, singles)
    return AugmentationFindings(policy, mosaics, found, copies)


def _titled_batches(
    policy: Policy, labels: tuple[str, ...], config: AugmentationConfig, seed: int
) -> dict[str, tuple[str, AugmentBatch]]:
    """Return title and function of each picture of a batch: MixUp, CutMix, the whole policy."""
    batches = {
        name: (_mixing_title(name, mixing), batch_augmenter(mixing, labels, seed, config.backend))
        for name, mixing in mixing_policies(policy).items()
    }
    whole = batch_augmenter(policy, labels, seed, config.backend)
    return batches | {
        name: (f"A whole training batch, {name[-1]} of {len(BATCHES)}", whole) for name in BATCHES
    }


def _draw_mosaics(
    sample: ProbeSample,
    labels: tuple[str, ...],
    singles: dict[str, tuple[Policy, AugmentBatch]],
    uri: str,
) -> dict[str, str]:
    """Draw each operation on images that it may change; return the files by operation."""
    files = {}
    for name, (policy, change) in singles.items():
        spared = {label for one in policy.operations for label in one.exceptions}
        rows = _pick_by_class(sample, [label not in spared for label in labels])
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


def _pick_by_class(sample: ProbeSample, is_shown: list[bool]) -> Array:
    """Return rows of images, each of a different class while there are classes left."""
    rows: list[int] = []
    for row in _sort_by_turns(sample):
        if is_shown[sample.classes[row]] and len(rows) < _ROWS:
            rows.append(int(row))
    return np.array(rows, np.int64)


def _sort_by_turns(sample: ProbeSample) -> Array:
    """Return all rows in turns of the classes."""
    return np.argsort(_count_predecessors(sample.classes), kind="stable")


def _count_predecessors(classes: Array) -> Array:
    """Return for each image how many images of its class precede it."""
    seen: dict[int, int] = {}
    turns = []
    for label in classes.tolist():
        turns.append(seen.get(label, 0))
        seen[label] = turns[-1] + 1
    return np.array(turns)


def _draw_batch_mosaics(
    sample: ProbeSample,
    labels: tuple[str, ...],
    changes: dict[str, tuple[str, AugmentBatch]],
    seed: int,
    uri: str,
) -> dict[str, str]:
    """Draw batches before and after augmentation, with a title each.

    The batches of BATCHES hold random images, as in training; the others hold the classes in turns.
    """
    numbers = np.random.default_rng(seed)
    files = {}
    for name, (title, change) in changes.items():
        rows = numbers.permutation(len(sample)) if name in BATCHES else _sort_by_turns(sample)
        shown = sample.take(rows[:_IN_BATCH])
        before = (shown.pixels, shown.targets(len(labels)))
        files[name] = f"{MOSAICS}/{name}.png"
        draw_batch(Path(uri, files[name]), title, before, change(*before), labels)
    return files


def _mixing_title(name: str, policy: Policy) -> str:
    called, alpha = {"mixup": ("MixUp", policy.mixup), "cutmix": ("CutMix", policy.cutmix)}[name]
    return f"{called}: each image with the one before it, by shares of Beta({alpha:g}, {alpha:g})"


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
