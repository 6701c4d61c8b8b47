"""Classes that the config names, held against those of the data."""

from collections.abc import Iterable, Sequence
from typing import Final

from contracts.config import PipelineConfig
from contracts.errors import some_of
from contracts.field_problems import did_you_mean

CLASS_WEIGHTS: Final = "trainer.class_weights"


def unknown_classes(key: str, named: Iterable[str], labels: Sequence[str]) -> list[str]:
    """Return a sentence for each class that `key` names and the data does not have."""
    unknown = sorted(set(named) - set(labels))
    hints = [did_you_mean(label, list(labels)) for label in unknown]
    return [
        f"{key}: expected classes of the data ({some_of(labels)}), received {label!r}"
        f"{'; ' + hint if hint else '.'}"
        for label, hint in zip(unknown, hints, strict=True)
    ]


def unknown_classes_of(config: PipelineConfig, labels: Sequence[str]) -> list[str]:
    """Return a sentence for each class that a config names and the data does not have."""
    weights = config.trainer.class_weights
    named: dict[str, Iterable[str]] = {CLASS_WEIGHTS: weights if isinstance(weights, dict) else ()}
    for name, operation in config.augmentation.operations.given().items():
        named[exceptions_key(name)] = operation.exceptions if operation else ()
    problems = (unknown_classes(key, classes, labels) for key, classes in named.items())
    return [sentence for found in problems for sentence in found]


def exceptions_key(operation: str) -> str:
    """Return the key of the classes that an operation of the augmentation spares."""
    return f"augmentation.operations.{operation}.except"
