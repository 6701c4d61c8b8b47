"""Classes that the config names, held against those of the data."""

from collections.abc import Iterable, Sequence
from typing import Final

from contracts.config import PipelineConfig
from contracts.errors import some_of
from contracts.field_problems import did_you_mean
from contracts.search_space import tried
from contracts.yaml_marks import dotted

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
    return [
        sentence
        for key, classes in _named(config).items()
        for sentence in unknown_classes(key, classes, labels)
    ]


def unknown_classes_tried(config: PipelineConfig, labels: Sequence[str]) -> list[str]:
    """Return the same for the values of the search space, each by its place."""
    own = _named(config)
    return [
        sentence
        for place, varied in tried(config)
        for key, classes in _named(varied).items()
        if classes != own.get(key)
        for sentence in unknown_classes(dotted(place), classes, labels)
    ]


def _named(config: PipelineConfig) -> dict[str, frozenset[str]]:
    """Return the classes that a config names, by key."""
    weights = config.trainer.class_weights
    named = {CLASS_WEIGHTS: frozenset(weights if isinstance(weights, dict) else ())}
    for name, operation in config.augmentation.operations.given().items():
        named[exceptions_key(name)] = frozenset(operation.exceptions if operation else ())
    return named


def exceptions_key(operation: str) -> str:
    """Return the key of the classes that an operation of the augmentation spares."""
    return f"augmentation.operations.{operation}.except"
