"""A training from its job to its record: trained, tracked, written and explained."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contracts.artifacts.image_dataset import ImageDataset
from contracts.artifacts.training_record import CARD_FOLDER, PICTURES_FOLDER, TrainingRecord
from contracts.config.explanation import ExplanationConfig
from contracts.config.tracking import TrackingPlan
from contracts.config.trainer.config import TrainingRecipe
from contracts.system.progress import report_progress
from trainer.hardware.devices import Devices
from trainer.models.card import write_card_or_reason
from trainer.tracking import Point, TrackedTraining, TrackerRuns, Tracking, run_name, trackers
from trainer.training.callbacks import EPOCH_SECONDS
from trainer.training.checkpoints import Checkpoint, TrainingProgress
from trainer.training.finished import FinishedTraining
from trainer.training.train import TrainedModel, train

Write = Callable[[TrainedModel, Tracking], None]


@dataclass(frozen=True)
class TrainingJob:
    """What is to be trained, where its state lies, and where it is tracked."""

    recipe: TrainingRecipe
    dataset: ImageDataset
    folder: Path  # for all outputs of the training; created if it is missing
    checkpoint: Checkpoint
    devices: Devices
    plan: TrackingPlan
    explanation: ExplanationConfig
    draws: bool = True  # False without matplotlib: no pictures, no diagram on the card


def run_training_job(job: TrainingJob, write: Write) -> TrainingRecord | None:
    """Train, have `write` write the model, and leave its card, pictures and record in the folder.

    A training that was interrupted goes on. One that has ended is not trained again: its result
    is written, explained and tracked once more. Of several machines the chief alone does that;
    the others return None.

    Raises:
      ComponentError, ConfigError: as `train`, or a tracker cannot begin.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    finished = FinishedTraining.read(job.checkpoint)
    if finished is not None and not job.devices.is_chief:
        return None
    training = _tracked(job, finished)
    chosen = trackers(job.plan) if job.devices.is_chief else []
    with Tracking(chosen, training, lambda runs: runs.write(job.checkpoint.folder)) as tracking:
        if finished is None:
            trained = _trained(job, training.name, tracking)
        else:
            trained = _restored(job, finished, tracking)
        if not trained.is_chief:
            return None
        write(trained, tracking)
        _explain(trained, job, tracking)
    trained_in = finished.run if finished else ""
    record = TrainingRecord.of(trained, job.dataset.labels, tracking.tracked, trained_in)
    record.write(str(job.folder))
    return record


def _trained(job: TrainingJob, run: str, tracking: Tracking) -> TrainedModel:
    callbacks = [tracking.callback()]
    trained = train(job.recipe, job.dataset, callbacks, job.checkpoint, job.devices)
    if trained.is_chief:
        FinishedTraining.keep(run, trained, job.checkpoint)
    return trained


def _restored(job: TrainingJob, finished: FinishedTraining, tracking: Tracking) -> TrainedModel:
    steps = finished.progress.step
    report_progress(steps, steps, "steps", f"(nothing to train: done in run {finished.run})")
    tracking.used(finished.used)
    return finished.restored(job.recipe, job.dataset, job.checkpoint)


def _tracked(job: TrainingJob, finished: FinishedTraining | None) -> TrackedTraining:
    """Return the training, with the epochs that ended before this process began."""
    progress = finished.progress if finished else job.checkpoint.progress()
    runs = TrackerRuns.read(job.checkpoint.folder)
    if runs is None:
        runs = TrackerRuns(finished.run if finished else run_name(job.recipe.trainer.model))
    return TrackedTraining(
        name=runs.name,
        recipe=job.recipe,
        dataset=job.dataset,
        folder=job.folder,
        runs=runs.ids,
        epochs=epoch_points(progress) if progress else (),
        is_finished=finished is not None,
    )


def epoch_points(progress: TrainingProgress) -> tuple[Point, ...]:
    """Return the epochs as trackers take them, with the times at which they ended."""
    times = zip(progress.epoch_seconds, progress.epoch_ends_ms, strict=True)
    points = []
    for number, (seconds, ended_ms) in enumerate(times):
        metrics = {name: values[number] for name, values in progress.history.items()}
        points.append(Point("epoch", number + 1, {**metrics, EPOCH_SECONDS: seconds}, ended_ms))
    return tuple(points)


def _explain(trained: TrainedModel, job: TrainingJob, tracking: Tracking) -> None:
    """Write the model card, draw the pictures, and give both to the trackers.

    A model that cannot be described or drawn is trained all the same.
    """
    dataset, card = job.dataset, job.folder / CARD_FOLDER
    write_card_or_reason(trained.network, card, dataset.size_px, draws=job.draws)
    tracking.artifact(card)
    if job.explanation.pictures and job.draws:
        from trainer.pictures import draw_pictures

        folder, images = job.folder / PICTURES_FOLDER, job.explanation.images
        for picture in draw_pictures(trained, dataset, folder, images, job.recipe.seed):
            tracking.picture(picture.name, folder / picture.file)
