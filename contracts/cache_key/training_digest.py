"""What trained weights depend on besides recipe and data: a digest of code and libraries."""

import hashlib
from collections.abc import Iterable

from contracts.cache_key.code_digest import code_digest, versions
from contracts.cache_key.users_digest import trainers_digest
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainingRecipe
from contracts.environment.optional_libraries import ALBUMENTATIONS, installed

_TRAINING = "trainer.training.train"


def training_digest(*recipes: TrainingRecipe, backend: str = "tensorflow") -> str:
    """Return the SHA-256 of our code, the user's, and the libraries that trainings run, as hex.

    The code that tracks, explains and writes a training does not count.

    Args:
      recipes: of the trainings.
      backend: the distribution that Keras runs on.

    Raises:
      ModuleNotFoundError: a module of the user's is not there, or has no source.
      OSError: a file of the user's cannot be read.
      SyntaxError, ValueError: one is no Python; `filename` says which.
    """
    libraries = {
        "keras",
        backend,
        *augmentation_libraries(recipe.augmentation for recipe in recipes),
    }
    users = trainers_digest(*(recipe.trainer for recipe in recipes))
    parts = code_digest(_TRAINING), versions(installed(*libraries)), users
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def augmentation_libraries(augmentations: Iterable[AugmentationConfig]) -> tuple[str, ...]:
    """Return the optional libraries that augmented images depend on."""
    backends = {augmentation.backend for augmentation in augmentations}
    return installed(ALBUMENTATIONS.name) if ALBUMENTATIONS.name in backends else ()
