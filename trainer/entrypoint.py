"""The function that TFX's Trainer component calls."""

from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs

from contracts.artifacts.image_dataset import ImageDataset
from contracts.artifacts.training_record import WEIGHTS_FOLDER
from contracts.config.explanation import ExplanationConfig
from contracts.config.tracking import TrackingPlan
from contracts.config.trainer.config import TrainingRecipe
from registry.model_signature import write_signature
from trainer.export.saved_model import export
from trainer.hardware.devices import choose_devices
from trainer.keras_settings import prepare_keras
from trainer.tracking import Tracking
from trainer.training.checkpoints import Checkpoint
from trainer.training.identity import training_key
from trainer.training.train import TrainedModel
from trainer.training.workflow import TrainingJob, run_training_job


def run_fn(fn_args: FnArgs) -> None:
    """Train on the transformed examples and write the SavedModel and all that explains it."""
    given = fn_args.custom_config
    recipe = TrainingRecipe.model_validate_json(given["recipe"])
    # TFX gives patterns of files: <examples>/Split-train/*
    dataset = ImageDataset.unite(str(Path(files).parent.parent) for files in fn_args.train_files)
    folder = Path(fn_args.model_run_dir)
    prepare_keras()
    checkpoints = Path(given["checkpoints"])
    key = training_key(recipe, dataset, given["training_digest"], moved_with=checkpoints)
    checkpoint = Checkpoint.of(checkpoints, key)
    job = TrainingJob(
        recipe=recipe,
        dataset=dataset,
        folder=folder,
        checkpoint=checkpoint,
        devices=choose_devices(recipe.trainer.devices),
        plan=TrackingPlan.model_validate_json(given["tracking"]),
        explanation=ExplanationConfig.model_validate_json(given["explanation"]),
    )

    def write(trained: TrainedModel, tracking: Tracking) -> None:
        checkpoint.copy_weights(folder / WEIGHTS_FOLDER, trained.best_epoch)
        export(trained.network, dataset, fn_args.serving_model_dir)
        tracking.artifact(write_signature(Path(fn_args.serving_model_dir), folder))

    run_training_job(job, write)
