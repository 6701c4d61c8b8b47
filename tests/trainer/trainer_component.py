"""The Trainer as TFX calls it, with its checkpoints and trackers in a folder."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from contracts.config.explanation import ExplanationConfig
from contracts.config.tracking import TrackingConfig, TrackingPlan, TrackingStore
from contracts.config.trainer.config import TrainingRecipe
from trainer.entrypoint import run_fn

ON = {"enabled": True}
PICTURES = {"sample_predictions", "confusion_matrix", "learning_curves"}


@dataclass(frozen=True)
class Trainer:
    """A component whose checkpoints and trackers lie in a folder."""

    folder: Path
    dataset_uri: str

    @property
    def store(self) -> TrackingStore:
        """The MLflow store."""
        return TrackingStore(
            uri=f"sqlite:///{self.folder}/mlflow.db",
            name="stripes",
            artifact_location=(self.folder / "artifacts").as_uri(),
        )

    def run(
        self, name: str, trained: TrainingRecipe, explanation: ExplanationConfig, **trackers: dict
    ) -> Path:
        """Return the folder of the ModelRun artifact."""
        plan = TrackingPlan(
            tracking=TrackingConfig(**trackers),
            store=self.store,
            tensorboard_folder=str(self.folder / "tensorboard"),
            wandb_folder=str(self.folder),
        )
        given = {
            "recipe": trained.model_dump_json(),
            "tracking": plan.model_dump_json(),
            "explanation": explanation.model_dump_json(),
            "checkpoints": str(self.folder / "checkpoints"),
            "code_digest": "code",
            "training_digest": "training",
        }
        run_fn(
            SimpleNamespace(
                custom_config=given,
                train_files=[f"{self.dataset_uri}/Split-train/*"],
                model_run_dir=str(self.folder / name),
                serving_model_dir=str(self.folder / f"{name}-model"),
            )
        )
        return self.folder / name
