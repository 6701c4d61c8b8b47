"""The inputs and outputs of a training outside of TFX, with Keras and a backend alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import keras

from contracts.artifacts.image_dataset import ImageDataset
from contracts.cache_key.training_digest import training_digest
from contracts.config.mlflow_uri import sqlite_uri
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.tracking import TrackingConfig, TrackingPlan, TrackingStore
from contracts.config.variation import training_recipe
from contracts.environment.keras_environment import TENSORFLOW
from contracts.system.errors import ConfigError
from trainer.hardware.devices import choose_devices
from trainer.training.checkpoints import Checkpoint
from trainer.training.identity import training_key
from trainer.training.workflow import TrainingJob

STATE_FOLDER = "state"

MADE_BY = "`imgpipe run --to {component}` makes {what}, in workspace/pipeline/{component}/{key}/."
EXAMPLES = MADE_BY.format(component="ImageTransform", what="one", key="transformed_examples")
COPIES = MADE_BY.format(component="Augmenter", what="them", key="augmented_examples")


def given_dataset(folders: Sequence[Path], config: PipelineConfig) -> ImageDataset:
    """Return the transformed examples in the folders, with the changed copies that belong to them.

    Raises:
      ConfigError: they are not what the config trains on.
    """
    wrong = [str(one) for one in folders if not (one / ImageDataset.FILE).is_file()]
    if wrong:
        raise ConfigError(
            f"--examples: expected folders of transformed examples with {ImageDataset.FILE}, "
            f"received {', '.join(wrong)}. {EXAMPLES}"
        )
    found = [ImageDataset.read(str(one.resolve())) for one in folders]
    own = [one for one in found if not one.is_augmented]
    if len(own) != 1:
        raise ConfigError(
            "--examples: expected one folder of transformed examples, and beside it changed copies "
            f"alone, received {len(own)} of them. {EXAMPLES}"
        )
    wanted, made_with = config.preprocessing, own[0].preprocessing
    if made_with != wanted:
        raise ConfigError(
            f"--examples: expected images made with this preprocessing: {wanted.model_dump()}, "
            f"received some made with {made_with.model_dump()} in {own[0].uri}. {EXAMPLES}"
        )
    least = config.augmentation.materialise.min_examples
    if bool(least) != (len(found) > 1):
        received = "those of the Augmenter too" if not least else "none"
        step = COPIES if least else "Leave them out, or set it."
        raise ConfigError(
            f"--examples: expected {'the' if least else 'no'} changed copies with "
            f"augmentation.materialise.min_examples: {least}, received {received}. {step}"
        )
    strange = [one.uri for one in found if one.labels != own[0].labels]
    if strange:
        raise ConfigError(
            f"--examples: expected copies of the same classes as in {own[0].uri}, received others "
            f"in {', '.join(strange)}. {COPIES}"
        )
    return ImageDataset.unite(one.uri for one in found)


@dataclass(frozen=True)
class AvailableOutputs:
    """The outputs that this machine can make of those in the config, and those left out."""

    tracking: TrackingConfig
    draws: bool
    left_out: tuple[str, ...]  # "key (why)"

    @classmethod
    def of(cls, tracking: TrackingConfig) -> "AvailableOutputs":
        """Return them by the libraries that are installed; nothing is imported."""
        left_out = []
        if tracking.mlflow.enabled and not _is_there("mlflow"):
            tracking = _without(tracking, "mlflow")
            left_out.append("tracking.mlflow (the package mlflow is not installed)")
        backend = keras.backend.backend()
        if tracking.tensorboard.enabled and backend != TENSORFLOW:
            tracking = _without(tracking, "tensorboard")
            left_out.append(f"tracking.tensorboard (TensorFlow writes it, Keras runs on {backend})")
        draws = _is_there("matplotlib")
        if not draws:
            left_out.append("pictures (the package matplotlib is not installed)")
        left_out.append("SavedModel, evaluation and blessing (`imgpipe run` makes them)")
        return cls(tracking, draws, tuple(left_out))


def training_job(
    config: PipelineConfig, dataset: ImageDataset, folder: Path, outputs: AvailableOutputs
) -> TrainingJob:
    """Return the training of the config, with all that it leaves behind in one folder.

    Raises:
      ComponentError: this machine does not have the devices.
    """
    recipe = training_recipe(config)
    digest = training_digest(recipe, backend=keras.backend.backend())
    # Where several machines train together their folders may lie in different places.
    key = training_key(recipe, dataset, digest, moved_with=None)
    return TrainingJob(
        recipe=recipe,
        dataset=dataset,
        folder=folder,
        checkpoint=Checkpoint.of(folder / STATE_FOLDER, key),
        devices=choose_devices(config.trainer.devices),
        plan=_plan(config, outputs.tracking, folder.resolve()),
        explanation=config.explanation,
        draws=outputs.draws,
    )


def _plan(config: PipelineConfig, tracking: TrackingConfig, folder: Path) -> TrackingPlan:
    uri = config.tracking.mlflow.uri or sqlite_uri(folder / "mlflow.db")
    return TrackingPlan(
        tracking=tracking,
        store=TrackingStore.at(uri, config.name),
        tensorboard_folder=str(folder / "tensorboard"),
        wandb_folder=str(folder),
    )


def _without(tracking: TrackingConfig, name: str) -> TrackingConfig:
    section = getattr(tracking, name).model_copy(update={"enabled": False})
    return tracking.model_copy(update={name: section})


def _is_there(module: str) -> bool:
    return find_spec(module) is not None
