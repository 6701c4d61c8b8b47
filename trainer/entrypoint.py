"""TFX's way into the trainer."""

from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs

from contracts.cluster import cluster
from contracts.explanation import ExplanationConfig
from contracts.tracking import TrackingPlan
from contracts.training import TrainingRecipe
from trainer.checkpoints import Checkpoint, training_key
from trainer.data import ImageDataset
from trainer.devices import use_memory_as_needed
from trainer.export import export
from trainer.models.card import write_card_or_reason
from trainer.pictures import draw_pictures
from trainer.record import CARD_FOLDER, PICTURES_FOLDER, WEIGHTS_FOLDER, TrainingRecord
from trainer.tracking import Runs, Tracking, Training, run_name, trackers
from trainer.tracking.signature import write_signature
from trainer.train import TrainedModel, train


def run_fn(fn_args: FnArgs) -> None:
    """Train on the transformed examples and write the SavedModel and all that explains it."""
    told = fn_args.custom_config
    recipe = TrainingRecipe.model_validate_json(told["recipe"])
    plan = TrackingPlan.model_validate_json(told["tracking"])
    # TFX gives patterns of files: <examples>/Split-train/*
    dataset = ImageDataset.unite(str(Path(files).parent.parent) for files in fn_args.train_files)
    folder = Path(fn_args.model_run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    use_memory_as_needed()
    # The folder of the examples is the same while ImageTransform has nothing to do.
    code = told["code_digest"], told["users_digest"], dataset.uri
    checkpoint = Checkpoint.of(Path(told["checkpoints"]), training_key(recipe, dataset, *code))
    training = _training(recipe, dataset, folder, checkpoint)
    _, index = cluster()
    told_of_it = trackers(plan) if index == 0 else []
    with Tracking(told_of_it, training, lambda runs: runs.write(checkpoint.folder)) as tracking:
        trained = train(recipe, dataset, [tracking.callback()], checkpoint)
        if not trained.is_chief:
            return
        checkpoint.copy_weights(folder / WEIGHTS_FOLDER, trained.best_epoch)
        export(trained.network, dataset, fn_args.serving_model_dir)
        tracking.artifact(write_signature(fn_args.serving_model_dir, folder))
        explanation = ExplanationConfig.model_validate_json(told["explanation"])
        _explain(trained, training, explanation, tracking)
    record = TrainingRecord.of(trained, dataset.labels, tracking.tracked)
    record.write(fn_args.model_run_dir)
    checkpoint.remove()


def _training(
    recipe: TrainingRecipe, dataset: ImageDataset, folder: Path, checkpoint: Checkpoint
) -> Training:
    """Return the training, with what was told of it before it was interrupted."""
    runs = Runs.read(checkpoint.folder) or Runs(run_name(recipe.trainer.model))
    progress = checkpoint.progress()
    history = progress.history if progress else {}
    return Training(runs.name, recipe, dataset, folder, runs.ids, history)


def _explain(
    trained: TrainedModel, training: Training, explanation: ExplanationConfig, tracking: Tracking
) -> None:
    """Write the model card, draw the pictures, and show both to whoever follows the training.

    A model that does not let itself be described or drawn is trained all the same.
    """
    card = training.folder / CARD_FOLDER
    write_card_or_reason(trained.network, card, training.dataset.size_px)
    tracking.artifact(card)
    if explanation.pictures:
        folder = training.folder / PICTURES_FOLDER
        for picture in draw_pictures(trained, training.dataset, folder, explanation.images):
            tracking.picture(picture.name, folder / picture.file)
