"""The trials of a search as recipes of trainings."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.data import DataConfig
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.consistency import inconsistencies
from contracts.config.search import SearchConfig
from contracts.config.trainer.config import TrainingRecipe
from contracts.config.variation import sentences, vary, with_epochs
from contracts.system.errors import ConfigError


@dataclass(frozen=True)
class Trials:
    """What every trial of a search has in common."""

    recipe: TrainingRecipe
    search: SearchConfig
    dataset: ImageDataset
    dimensions: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", self.search.dimensions())

    @property
    def epochs(self) -> int:
        """Of a trial, with Hyperband of the longest."""
        return self.search.epochs or self.recipe.trainer.epochs

    def recipe_of(self, values: dict[str, Any], epochs: int) -> TrainingRecipe:
        """Return the recipe of a trial.

        Raises:
          ConfigError: the values do not go together.
        """
        config = PipelineConfig(
            name="search",
            seed=self.recipe.seed,
            data=DataConfig(root=Path(self.dataset.uri)),
            preprocessing=self.dataset.preprocessing,
            augmentation=self.recipe.augmentation,
            trainer=self.recipe.trainer,
        )
        if "trainer.epochs" not in values:
            config = with_epochs(config, epochs)
        varied, problems = vary(config, values, lambda one: inconsistencies(one, needs_data=False))
        if problems:
            raise ConfigError(sentences(problems))
        parts = {"trainer": varied.trainer, "augmentation": varied.augmentation}
        return self.recipe.model_copy(update=parts)


def course_of(recipe: TrainingRecipe) -> TrainingRecipe | None:
    """Return the recipe without its number of epochs, which longer trainings can share and resume.

    None if longer trainings do not begin with the same epochs: other schedules spread the rates
    over all epochs, and callbacks of the user's own begin anew.
    """
    if recipe.trainer.schedule != "constant" or recipe.trainer.callbacks:
        return None
    endless = recipe.trainer.model_copy(update={"epochs": 0})
    return recipe.model_copy(update={"trainer": endless})
