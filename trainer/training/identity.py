"""Digests that identify the result of a training and its examples."""

import hashlib
import json
import os
from pathlib import Path

from pydantic import JsonValue

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.trainer.config import TrainingRecipe


def identity(*parts: JsonValue) -> str:
    """Return the SHA-256 of all that a result depends on, as lower-case hex."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def examples_identity(dataset: ImageDataset, moved_with: Path | None) -> JsonValue:
    """Return a value that identifies the examples.

    The folders count: the same images may have been made into other examples, by another version
    of our code, in another folder.

    Args:
      dataset: transformed examples.
      moved_with: a folder that is moved together with those of the examples, which count relative
        to it. None: they count by their names, for machines that see them in different places.
    """
    folders = (dataset.uri, *dataset.united)
    return {
        "fingerprint": dataset.fingerprint,
        "preprocessing": dataset.preprocessing.model_dump(mode="json"),
        "label_counts": {split: list(counts) for split, counts in dataset.label_counts.items()},
        "files": [
            [split, path.name, path.stat().st_size]
            for split in sorted(dataset.label_counts)
            for path in dataset.files(split)
        ],
        "folders": [
            os.path.relpath(folder, moved_with) if moved_with else Path(folder).name
            for folder in folders
        ],
    }


def training_key(
    recipe: TrainingRecipe, dataset: ImageDataset, digest: str, moved_with: Path | None
) -> str:
    """Return a digest of all that the weights of a training depend on.

    Args:
      recipe: what is trained and how.
      dataset: what it is trained on.
      digest: `contracts.cache_key.training_digest` of the recipe.
      moved_with: as of `examples_identity`.
    """
    return identity(recipe.model_dump(mode="json"), examples_identity(dataset, moved_with), digest)
