from pathlib import Path

from contracts.cache_key.import_closure import import_closure
from contracts.cache_key.training_digest import training_digest
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe


def recipe(model: str = "cnn", backend: str = "keras") -> TrainingRecipe:
    augmentation = AugmentationConfig(preset="light", backend=backend)
    return TrainingRecipe(trainer=TrainerConfig(model=model), augmentation=augmentation, seed=0)


def test_the_users_code_counts(tmp_path: Path) -> None:
    net = tmp_path / "net.py"
    net.write_text("def build(): return 1")
    before = training_digest(recipe(f"{net}:build"))
    net.write_text("def build(): return 2")
    assert training_digest(recipe(f"{net}:build")) != before != training_digest(recipe())


def test_the_library_that_changes_images_counts() -> None:
    without = training_digest(recipe())
    assert training_digest(recipe(backend="albumentations")) != without
    assert training_digest(recipe(), recipe()) == without


def test_what_only_observes_a_training_is_not_among_its_code() -> None:
    modules = import_closure("trainer.training.train")
    observers = ("trainer.tracking", "trainer.pictures", "trainer.export", "registry", "pipeline")
    assert [name for name in modules if name.startswith(observers)] == []
