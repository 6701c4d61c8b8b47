"""A training with all that belongs to it: followed, then written, explained and recorded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contracts.artifacts.image_dataset import ImageDataset
from contracts.artifacts.training_record import CARD_FOLDER, PICTURES_FOLDER, TrainingRecord
from contracts.config.explanation import ExplanationConfig
from contracts.config.tracking import TrackingPlan
from contracts.config.trainer.config import TrainingRecipe
from trainer.hardware.devices import Devices
from trainer.models.card import write_card_or_reason
from trainer.tracking import KnownRuns, Tracking, Training, run_name, trackers
from trainer.training.checkpoints import Checkpoint
from trainer.training.train import TrainedModel, train

Write = Callable[[TrainedModel, Tracking], None]


@dataclass(frozen=True)
class Assignment:
    """What is to be trained, where its state lies, and who is told what of it."""

    recipe: TrainingRecipe
    dataset: ImageDataset
    folder: Path  # of what the training leaves behind; is made where it is missing
    checkpoint: Checkpoint
    devices: Devices
    plan: TrackingPlan
    explanation: ExplanationConfig
    draws: bool = True  # False without matplotlib: no pictures, no diagram on the card


def carry_out(assignment: Assignment, write: Write) -> TrainingRecord | None:
    """Train, have `write` write the model, and leave its card, pictures and record in the folder.

    A training that was interrupted goes on; the state of one that is done is removed. Of several
    machines the chief alone follows and writes; the others return None.

    Raises:
      ComponentError, ConfigError: as `train`, or a tracker cannot begin.
    """
    folder, checkpoint = assignment.folder, assignment.checkpoint
    folder.mkdir(parents=True, exist_ok=True)
    training = _training(assignment)
    devices = assignment.devices
    told = trackers(assignment.plan) if devices.is_chief else []
    with Tracking(told, training, lambda runs: runs.write(checkpoint.folder)) as tracking:
        trained = train(
            assignment.recipe, assignment.dataset, [tracking.callback()], checkpoint, devices
        )
        if not trained.is_chief:
            return None
        write(trained, tracking)
        _explain(trained, assignment, tracking)
    record = TrainingRecord.of(trained, assignment.dataset.labels, tracking.tracked)
    record.write(str(folder))
    checkpoint.remove()
    return record


def _training(assignment: Assignment) -> Training:
    """Return the training, with what was told of it before it was interrupted."""
    recipe, checkpoint = assignment.recipe, assignment.checkpoint
    runs = KnownRuns.read(checkpoint.folder) or KnownRuns(run_name(recipe.trainer.model))
    progress = checkpoint.progress()
    history = progress.history if progress else {}
    return Training(runs.name, recipe, assignment.dataset, assignment.folder, runs.ids, history)


def _explain(trained: TrainedModel, assignment: Assignment, tracking: Tracking) -> None:
    """Write the model card, draw the pictures, and show both to whoever follows the training.

    A model that does not let itself be described or drawn is trained all the same.
    """
    dataset, card = assignment.dataset, assignment.folder / CARD_FOLDER
    write_card_or_reason(trained.network, card, dataset.size_px, draws=assignment.draws)
    tracking.artifact(card)
    if assignment.explanation.pictures and assignment.draws:
        from trainer.pictures import draw_pictures

        folder, images = assignment.folder / PICTURES_FOLDER, assignment.explanation.images
        for picture in draw_pictures(trained, dataset, folder, images, assignment.recipe.seed):
            tracking.picture(picture.name, folder / picture.file)
