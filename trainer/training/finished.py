"""The result of a finished training, kept with its checkpoint, so it is not trained twice."""

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import Final

import keras

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.trainer.config import TrainingRecipe
from contracts.system.atomic_files import write_whole
from contracts.system.file_digest import file_digest
from trainer.training.checkpoints import Checkpoint, TrainingProgress
from trainer.training.trained_model import TrainedModel, trained_network, used_values

RESULT_FILE: Final = "finished.json"

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinishedTraining:
    """What is known of a training besides its weights; all of it was measured while it ran."""

    run: str  # the name of its runs in every tracker
    progress: TrainingProgress
    devices: str
    precision: str  # Keras's name of it
    weights: dict[str, str]  # file in the folder of the checkpoint -> SHA-256

    @classmethod
    def keep(cls, run: str, trained: TrainedModel, checkpoint: Checkpoint) -> "FinishedTraining":
        """Put the result in the place of the checkpoint's state, and return it.

        Raises:
          ValueError: the checkpoint has no state.
        """
        progress = checkpoint.progress()
        if progress is None:
            raise ValueError(f"expected the state of a training in {checkpoint.folder}")
        files = checkpoint.weights(trained.best_epoch)
        weights = {file.name: file_digest(file) for file in files}
        finished = cls(run, progress, trained.devices, trained.precision, weights)
        text = json.dumps(asdict(finished), indent=1)
        write_whole(checkpoint.folder / RESULT_FILE, text)
        checkpoint.remove_state()
        return finished

    @classmethod
    def read(cls, checkpoint: Checkpoint) -> "FinishedTraining | None":
        """Return the result that is kept; None where there is none that can be used."""
        path = checkpoint.folder / RESULT_FILE
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            finished = cls(**record | {"progress": TrainingProgress(**record["progress"])})
            digests = {name: file_digest(path.with_name(name)) for name in finished.weights}
        except FileNotFoundError as error:
            if error.filename != str(path):
                LOGGER.warning("%s is missing: the training begins anew.", error.filename)
            return None
        except (KeyError, TypeError, ValueError):
            LOGGER.warning("%s cannot be read: the training begins anew.", path, exc_info=True)
            return None
        changed = [name for name, digest in digests.items() if digest != finished.weights[name]]
        if changed:
            LOGGER.warning(
                "%s in %s changed after the training: it begins anew.",
                ", ".join(changed),
                checkpoint.folder,
            )
            return None
        return finished

    @property
    def used(self) -> dict[str, str]:
        """What the training ran with, where the config may say auto."""
        return used_values(self.progress, self.devices, self.precision)

    def restored(
        self, recipe: TrainingRecipe, dataset: ImageDataset, checkpoint: Checkpoint
    ) -> TrainedModel:
        """Return what `train` returned, with the network built anew from the kept weights.

        Args:
          recipe, dataset, checkpoint: those of the training.
        """
        keras.config.set_dtype_policy(self.precision)
        trained = TrainedModel.of(None, self.progress, self.devices, self.precision)
        weights = checkpoint.best(trained.best_epoch)
        return replace(trained, network=trained_network(recipe, dataset, self.progress, weights))
