"""Checks `search.space`: each key and value has to keep the config's own rules."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import JsonValue

from contracts.config.key_paths import KeyPath, dotted, key_path
from contracts.config.loading.config_schema import key_paths
from contracts.config.loading.field_problems import Problem, field_problems, received
from contracts.config.loading.removed_keys import removed_key_problem
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.search import AUGMENTER_KEYS, SECTIONS, SPACE, NumberRange, SearchConfig
from contracts.config.variation import Rules, vary
from contracts.system.errors import did_you_mean

EPOCHS: Final = "trainer.epochs"

# Class weights and mixed images count in the loss of training alone.
CHANGE_VAL_LOSS: Final = ("trainer.loss", "trainer.label_smoothing")

# While one of these keys is wrong, the values that suit it are not known.
DEPENDS_ON: Final[tuple[KeyPath, ...]] = (
    ("trainer", "model"),
    ("trainer", "model_options"),
    ("preprocessing", "image_size_px"),
)


def space_problems(config: PipelineConfig, rules: Rules) -> Iterator[Problem]:
    """Yield a problem for each key that cannot vary and each value that the config would refuse.

    Each value is tried alone in the given config. A combination is checked in its trial.
    """
    base = _without_search(config)
    for key, given in config.search.space.items():
        path = (*SPACE, key)
        trouble = (
            key_trouble(key, config)
            or _epochs_trouble(key, config.search)
            or _loss_trouble(key, config.search)
        )
        if trouble:
            yield Problem(path, trouble)
            continue
        wrong = list(_shape_problems(path, given))
        yield from wrong
        if not wrong:
            for place, value in _values(path, given):
                yield from _refusals(base, key, place, value, rules)


def varied_configs(config: PipelineConfig) -> Iterator[tuple[KeyPath, PipelineConfig]]:
    """Yield the place of each value of a space without problems, and the config with it alone.

    Of a range it is both ends.
    """
    base = _without_search(config)
    for key, given in config.search.space.items():
        for place, value in _values((*SPACE, key), given):
            yield place, vary(base, {key: value}, lambda _: ())[0]


def _without_search(config: PipelineConfig) -> PipelineConfig:
    return config.model_copy(update={"search": SearchConfig()})


def key_trouble(key: str, config: PipelineConfig) -> str:
    """Return what is wrong with a dotted key that is to vary, "" where nothing is."""
    section, *below = key_path(key)
    if section not in SECTIONS or not below or not all(below):
        known = [
            dotted((name, *path))
            for name in SECTIONS
            for path in key_paths(type(getattr(config, name)))
        ]
        hint = did_you_mean(key, known) or "such as `trainer.learning_rate`."
        return f"expected the dotted key of a value of {' or '.join(SECTIONS)}; {hint}"
    if below[0] in AUGMENTER_KEYS:
        return (
            f"expected a key of the training, received {section}.{below[0]}, a key of the "
            "Augmenter, which runs once before all trainings of a search or sweep. Remove it."
        )
    return removed_key_problem((section, *below))


def _epochs_trouble(key: str, search: SearchConfig) -> str:
    if key != EPOCHS or (search.algorithm != "hyperband" and search.epochs is None):
        return ""
    return (
        "expected no choice of epochs, since search.epochs and hyperband set them. Remove it, or "
        "take another algorithm with `search.epochs: null`."
    )


def _loss_trouble(key: str, search: SearchConfig) -> str:
    if key not in CHANGE_VAL_LOSS or search.objective != "val_loss":
        return ""
    return (
        f"expected no choice of what val_loss means, since search.objective compares trials by it, "
        f"received {key}. Take search.objective: val_accuracy, or remove this key."
    )


def _shape_problems(path: KeyPath, given: Any) -> Iterator[Problem]:
    if isinstance(given, dict):
        wrong = field_problems(NumberRange, given, path)
        yield from wrong
        if not wrong:
            yield from _range_problems(path, NumberRange.model_validate(given))
    elif not isinstance(given, list):
        yield Problem(
            path,
            f"expected a list of values or {{low: ..., high: ..., scale: linear or log}}, received "
            f"{received(given)}.",
        )
    elif len(given) < 2 or any(value in given[:at] for at, value in enumerate(given)):
        yield Problem(
            path, f"expected two values or more, none of them twice, received {received(given)}."
        )


def _range_problems(path: KeyPath, span: NumberRange) -> Iterator[Problem]:
    if span.low >= span.high:
        yield Problem(
            (*path, "high"), f"expected more than low ({span.low}), received {span.high}."
        )
    if span.scale == "log" and span.low <= 0:
        yield Problem(
            (*path, "low"),
            f"expected a number > 0 on a logarithmic scale, received {span.low}. "
            "Raise it, or take scale: linear.",
        )


def _values(path: KeyPath, given: Any) -> Iterator[tuple[KeyPath, JsonValue]]:
    """Yield the values of a dimension that are tried: each choice, or both ends of a range."""
    if isinstance(given, dict):
        span = NumberRange.model_validate(given)
        yield (*path, "low"), span.low
        yield (*path, "high"), span.high
    else:
        yield from (((*path, at), value) for at, value in enumerate(given))


def _refusals(
    base: PipelineConfig, key: str, place: KeyPath, value: JsonValue, rules: Rules
) -> Iterator[Problem]:
    path = key_path(key)
    for problem in vary(base, {key: value}, rules)[1]:
        if problem.path[: len(path)] == path or path[: len(problem.path)] == problem.path:
            yield Problem(place, problem.sentence)
        else:
            blamed = dotted(problem.path)
            yield Problem(place, f"with {received(value)}: {blamed}: {problem.sentence}")
