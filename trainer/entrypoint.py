"""TFX's way into the trainer."""

from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs

from contracts.explanation import ExplanationConfig
from contracts.tracking import TrackingPlan
from contracts.training import TrainingRecipe
from trainer.data import ImageDataset
from trainer.devices import use_memory_as_needed
from trainer.export import export
from trainer.pictures import draw_pictures
from trainer.record import PICTURES_FOLDER, TrainingRecord
from trainer.tracking import Tracking, Training, run_name, trackers
from trainer.tracking.signature import write_signature
from trainer.train import TrainedModel, train


def run_fn(fn_args: FnArgs) -> None:
    """Train on the transformed examples and write the SavedModel and all that explains it."""
    recipe = TrainingRecipe.model_validate_json(fn_args.custom_config["recipe"])
    plan = TrackingPlan.model_validate_json(fn_args.custom_config["tracking"])
    explanation = ExplanationConfig.model_validate_json(fn_args.custom_config["explanation"])
    # TFX gives patterns of files: <examples>/Split-train/*
    dataset = ImageDataset.read(str(Path(fn_args.train_files[0]).parent.parent))
    folder = Path(fn_args.model_run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    use_memory_as_needed()
    training = Training(run_name(recipe.trainer.model), recipe, dataset, folder)
    with Tracking(trackers(plan), training) as tracking:
        trained = train(recipe, dataset, callbacks=[tracking.callback()])
        export(trained.network, dataset, fn_args.serving_model_dir)
        tracking.artifact(write_signature(fn_args.serving_model_dir, folder))
        if explanation.pictures:
            _draw(trained, training, explanation, tracking)
    record = TrainingRecord(
        history=trained.history,
        best_epoch=trained.best_epoch,
        steps=trained.steps,
        seconds=trained.seconds,
        parameters=trained.network.count_params(),
        tracked=tracking.tracked,
    )
    record.write(fn_args.model_run_dir)


def _draw(
    trained: TrainedModel, training: Training, explanation: ExplanationConfig, tracking: Tracking
) -> None:
    """Draw the pictures and show them to whoever follows the training."""
    folder = training.folder / PICTURES_FOLDER
    for picture in draw_pictures(trained, training.dataset, folder, explanation.images):
        tracking.picture(picture.name, folder / picture.file)
