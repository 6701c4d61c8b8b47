"""The checkpoints that Hyperband's longer rounds resume from; kept as long as their bracket."""

import shutil
from pathlib import Path

from contracts.config.trainer.config import TrainingRecipe
from trainer.training.checkpoints import Checkpoint
from trainer.training.identity import identity

CHECKPOINTS = "checkpoints"  # the folder of them, in that of a search


class TrialCheckpoints:
    """The checkpoints of one bracket; trials of other brackets never use them."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that nothing else uses."""
        self._folder = folder
        self._bracket: object = None

    def enter(self, bracket: object) -> None:
        """Remove those of another bracket."""
        if bracket != self._bracket:
            self.clear()
        self._bracket = bracket

    def of(self, course: TrainingRecipe) -> Checkpoint:
        """Return the one that trainings of this course share; the search has one data set."""
        return Checkpoint(self._folder / identity(course.model_dump(mode="json")))

    def clear(self) -> None:
        """Remove all."""
        if self._folder.exists():
            shutil.rmtree(self._folder)


def clear_all(searches: Path) -> None:
    """Remove the checkpoints of all searches in a folder: those that were killed left theirs."""
    for folder in searches.glob(f"*/{CHECKPOINTS}"):
        TrialCheckpoints(folder).clear()
