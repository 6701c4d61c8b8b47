"""A training, search or sweep goes on with what is its own, wherever it was moved to."""

import shutil
from dataclasses import replace
from pathlib import Path

from contracts.artifacts.image_dataset import ImageDataset
from tests.trainer.training.test_train import recipe
from trainer.training.identity import examples_identity, training_key


def test_recipe_examples_and_code_make_a_training(dataset):
    folder = Path(dataset.uri).parent
    key = training_key(recipe(), dataset, "code", folder)
    assert key == training_key(recipe(), dataset, "code", folder)
    others = [
        training_key(recipe(learning_rate=0.5), dataset, "code", folder),
        training_key(
            recipe(),
            replace(dataset, label_counts={**dataset.label_counts, "train": (47, 49)}),
            "code",
            folder,
        ),
        training_key(recipe(), replace(dataset, fingerprint="other images"), "code", folder),
        training_key(recipe(), dataset, "other code", folder),
    ]
    assert len({key, *others}) == 5


def test_examples_stay_the_same_when_they_are_moved_with_their_workspace(dataset, tmp_path):
    for workspace in ("before", "after"):
        shutil.copytree(dataset.uri, tmp_path / workspace / "examples" / "3")
    before, after = (
        examples_identity(ImageDataset.read(str(root / "examples" / "3")), moved_with=root)
        for root in (tmp_path / "before", tmp_path / "after")
    )
    assert before == after


def test_examples_in_another_folder_of_the_workspace_are_others(dataset, tmp_path):
    for number in "34":
        shutil.copytree(dataset.uri, tmp_path / number)
    third, fourth = (ImageDataset.read(str(tmp_path / number)) for number in "34")
    assert examples_identity(third, tmp_path) != examples_identity(fourth, tmp_path)
    assert examples_identity(third, None) != examples_identity(fourth, None)
    (tmp_path / "elsewhere").mkdir()
    moved = replace(third, uri=str(shutil.move(tmp_path / "3", tmp_path / "elsewhere")))
    assert examples_identity(moved, None) == examples_identity(replace(third, uri=moved.uri), None)
