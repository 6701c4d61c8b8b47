"""Classes that are too small, too unequal, or missing where they are measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contracts.artifacts import features
from contracts.config.validation import ValidationConfig

Counts = Mapping[str, Mapping[str, int]]  # ingested images, by class and split


@dataclass(frozen=True)
class OddClass:
    """A class, and a sentence on its problem."""

    label: str
    detail: str


def find_odd_classes(counts: Counts, config: ValidationConfig) -> dict[str, list[OddClass]]:
    """Return the findings of each check on classes."""
    checks: dict[str, Callable[[Counts, ValidationConfig], list[OddClass]]] = {
        "class_too_small": _too_small,
        "class_imbalance": _find_imbalanced,
        "class_missing_in_split": _missing,
    }
    return {name: find(counts, config) for name, find in checks.items()}


def _too_small(counts: Counts, config: ValidationConfig) -> list[OddClass]:
    fewest = config.class_too_small.threshold
    return [
        OddClass(label, f"{label}: {some[features.TRAIN]} training images, fewer than {fewest}")
        for label, some in counts.items()
        if some[features.TRAIN] < fewest
    ]


def _find_imbalanced(counts: Counts, config: ValidationConfig) -> list[OddClass]:
    sizes = {label: some[features.TRAIN] for label, some in counts.items()}
    largest = max(sizes, key=sizes.__getitem__, default="")
    return [
        OddClass(
            label,
            f"{label}: {size} training images beside {sizes[largest]} of {largest}",
        )
        for label, size in sizes.items()
        if size < config.class_imbalance.threshold * sizes[largest]
    ]


def _missing(counts: Counts, _: ValidationConfig) -> list[OddClass]:
    missing = {
        label: [split for split in features.SPLITS if not some[split]]
        for label, some in counts.items()
    }
    return [
        OddClass(label, f"{label}: no image in {' and '.join(splits)}")
        for label, splits in missing.items()
        if splits
    ]
