"""TFX's way into the trainer."""

from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs

from contracts.tracking import TrackingStore
from contracts.training import TrainingRecipe
from trainer.data import ImageDataset
from trainer.devices import use_memory_as_needed
from trainer.export import export
from trainer.record import TrainingRecord
from trainer.tracking import MlflowRun
from trainer.train import train


def run_fn(fn_args: FnArgs) -> None:
    """Train on the transformed examples and write the SavedModel and the training's record."""
    recipe = TrainingRecipe.model_validate_json(fn_args.custom_config["recipe"])
    store = TrackingStore.model_validate_json(fn_args.custom_config["tracking"])
    # TFX gives patterns of files: <examples>/Split-train/*
    dataset = ImageDataset.unite(str(Path(files).parent.parent) for files in fn_args.train_files)
    use_memory_as_needed()
    with MlflowRun(store, recipe, dataset) as tracked:
        trained = train(recipe, dataset, callbacks=[tracked])
        export(trained.network, dataset, fn_args.serving_model_dir)
    record = TrainingRecord(
        history=trained.history,
        best_epoch=trained.best_epoch,
        steps=trained.steps,
        seconds=trained.seconds,
        parameters=trained.network.count_params(),
        mlflow_run_id=tracked.run_id,
    )
    record.write(fn_args.model_run_dir)
