"""Compares the classes that a config names with those of the data."""

from collections.abc import Sequence

from contracts.config.class_names import CLASS_WEIGHTS, exceptions_key, unknown_classes
from contracts.config.key_paths import dotted
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.search_space import varied_configs


def unknown_classes_in_config(config: PipelineConfig, labels: Sequence[str]) -> list[str]:
    """Return a sentence for each class that a config names and the data does not have."""
    return [
        sentence
        for key, classes in _named(config).items()
        for sentence in unknown_classes(key, classes, labels)
    ]


def unknown_classes_in_space(config: PipelineConfig, labels: Sequence[str]) -> list[str]:
    """Return a sentence for each unknown class that the search space names."""
    own = _named(config)
    return [
        sentence
        for place, varied in varied_configs(config)
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
