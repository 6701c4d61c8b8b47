"""A config with other values of some `trainer` and `augmentation` keys, under the same rules."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from contracts.config.key_paths import KeyPath, dotted, key_path
from contracts.config.loading.field_problems import Problem, field_problems
from contracts.config.loading.nested_values import value_at, with_value
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.search import SECTIONS, KeyValues
from contracts.config.section import Section
from contracts.config.trainer.config import TrainingRecipe

# Keys of `trainer` that count epochs: a shorter training scales them down.
COUNTED_IN_EPOCHS: Final[tuple[KeyPath, ...]] = (
    ("warmup_epochs",),
    ("fine_tuning", "frozen_epochs"),
)

Rules = Callable[[PipelineConfig], Iterable[Problem]]


def vary(
    config: PipelineConfig, values: KeyValues, rules: Rules
) -> tuple[PipelineConfig, list[Problem]]:
    """Return the config with `values` by dotted key, and what is wrong with it.

    Where a section refuses its value, the returned config is the given one.

    Args:
      config: valid as a whole.
      values: dotted key, `trainer.learning_rate` -> value as it would stand in YAML.
      rules: yields the problems between the keys of a config.
    """
    sections: Any = {
        name: getattr(config, name).model_dump(mode="json", by_alias=True) for name in SECTIONS
    }
    for key, value in values.items():
        sections = with_value(sections, key_path(key), value)
    made: dict[str, Section] = {}
    problems: list[Problem] = []
    for name in SECTIONS:
        kind = type(getattr(config, name))
        problems += field_problems(kind, sections[name], (name,))
        if not problems:
            made[name] = kind.model_validate(sections[name])
    if problems:
        return config, problems
    varied = config.model_copy(update=made)
    known = {(problem.path, problem.sentence) for problem in rules(config)}
    return varied, [one for one in rules(varied) if (one.path, one.sentence) not in known]


def training_recipe(config: PipelineConfig) -> TrainingRecipe:
    """Return the part of the config that the training needs."""
    return TrainingRecipe(
        trainer=config.trainer, augmentation=config.augmentation.of_batches(), seed=config.seed
    )


def with_epochs(config: PipelineConfig, epochs: int) -> PipelineConfig:
    """Return the config of a training with fewer or more epochs; its phases keep their shares."""
    share = min(1.0, epochs / config.trainer.epochs)
    section: Any = config.trainer.model_dump(mode="json", by_alias=True)
    for path in COUNTED_IN_EPOCHS:
        counted = value_at(section, path)
        if counted is not None:
            scaled = int(counted * share) if isinstance(counted, int) else counted * share
            section = with_value(section, path, scaled)
    trainer = type(config.trainer).model_validate(section | {"epochs": epochs})
    return config.model_copy(update={"trainer": trainer})


def sentences(problems: Iterable[Problem]) -> list[str]:
    """Return the problems as sentences that name the key."""
    return [f"{dotted(problem.path)}: {problem.sentence}" for problem in problems]
