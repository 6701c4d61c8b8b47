"""The variants that a sweep compares."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from contracts.config.augmentation.policy import resolve_policy
from contracts.config.loading.config_paths import absolute_at
from contracts.config.loading.field_problems import received
from contracts.config.loading.yaml_marks import YamlTextError, read_yaml
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.consistency import inconsistencies
from contracts.config.rules.search_space import key_trouble
from contracts.config.trainer.config import TrainingRecipe
from contracts.config.variation import sentences, training_recipe, vary
from contracts.system.errors import InputError

WITHOUT_AUGMENTATION: Final[dict[str, JsonValue]] = {"augmentation": {"preset": "none"}}
OPTION: Final = "--vary"


@dataclass(frozen=True)
class SweepVariant:
    """The config with other values at some keys."""

    name: str
    values: dict[str, JsonValue]  # dotted key -> value
    config: PipelineConfig

    def recipe(self, seed: int) -> TrainingRecipe:
        """Return the training with this seed."""
        return training_recipe(self.config.model_copy(update={"seed": seed}))


def with_and_without_augmentation(config: PipelineConfig) -> list[SweepVariant]:
    """Return the training without augmentation, the baseline, and with the config's own.

    Raises:
      InputError: the augmentation of the config changes no image.
    """
    without = _variant(config, WITHOUT_AUGMENTATION, "without augmentation")
    if resolve_policy(config.augmentation).is_empty:
        raise InputError(
            "augmentation: expected something that changes training images, to compare it with "
            f"none, received none (preset {config.augmentation.preset}). Try "
            f"`--set augmentation.preset=medium`, or compare something else: `{OPTION} "
            "trainer.learning_rate=1e-3,3e-3`."
        )
    preset = config.augmentation.preset
    name = "with augmentation" if preset == "none" else f"augmentation {preset}"
    return [without, SweepVariant(name, {}, config)]


def combinations(
    config: PipelineConfig, options: Sequence[str], folder: Path
) -> list[SweepVariant]:
    """Return every combination of `KEY=VALUE,VALUE...`; the first values are the baseline.

    Paths among the values are relative to `folder`, the config's.

    Raises:
      InputError: a key cannot vary, or the config would refuse a value; all problems.
    """
    problems: list[str] = []
    dimensions: dict[str, list[JsonValue]] = {}
    for option in options:
        try:
            key, values = _parse(option, config)
        except InputError as error:
            problems += error.problems
            continue
        if key in dimensions:
            problems.append(f"{OPTION} {option}: expected each key once, received {key} twice.")
        dimensions[key] = values
    variants = []
    for combination in itertools.product(*dimensions.values()):
        chosen = dict(zip(dimensions, combination, strict=True))
        absolute = {key: absolute_at(key, value, folder) for key, value in chosen.items()}
        try:
            variants.append(_variant(config, absolute, ", ".join(_shown(chosen))))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return variants


def _variant(config: PipelineConfig, values: dict[str, JsonValue], name: str) -> SweepVariant:
    varied, problems = vary(config, values, partial(inconsistencies, needs_data=True))
    if problems:
        raise InputError(f"{OPTION}: {sentence}" for sentence in sentences(problems))
    return SweepVariant(name, values, varied)


def _parse(option: str, config: PipelineConfig) -> tuple[str, list[JsonValue]]:
    key, equals, text = option.partition("=")
    if not equals:
        raise InputError(
            f"{OPTION} {option}: expected KEY=VALUE,VALUE..., such as "
            "trainer.learning_rate=1e-3,3e-3."
        )
    trouble = key_trouble(key, config)
    if trouble:
        raise InputError(f"{OPTION} {option}: {trouble}")
    try:
        values = read_yaml(f"[{text}]").value
    except YamlTextError as error:
        raise InputError(f"{OPTION} {option}: {error}") from error
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    if len(values) < 2 or any(value in values[:at] for at, value in enumerate(values)):
        raise InputError(
            f"{OPTION} {option}: expected two values or more, none of them twice, received "
            f"{received(values)}."
        )
    return key, values


def _shown(values: dict[str, JsonValue]) -> list[str]:
    """Return the last part and the value of each key, such as "kernel_size 3"."""
    return [
        f"{key.rpartition('.')[2]} {value if isinstance(value, str) else json.dumps(value)}"
        for key, value in values.items()
    ]
