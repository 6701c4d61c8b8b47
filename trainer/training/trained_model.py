"""What a training gives: the network, and how it was trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.trainer.config import TrainingRecipe
from trainer.models import build_model
from trainer.training.checkpoints import TrainingProgress
from trainer.training.phases import phases


@dataclass(frozen=True)
class TrainedModel:
    """The network with the weights of its best epoch, and how it was trained."""

    network: Any  # keras.Model: float32 [batch, size, size, 3] in 0..255 -> [batch, classes]
    history: dict[str, list[float]]  # metric -> value of each epoch
    best_epoch: int  # from 0
    steps: int
    seconds: float
    batch_size: int
    learning_rate: float
    rates_tried: dict[str, list[float]] | None  # by the search for it: rates and losses
    devices: str
    is_chief: bool  # False on all but one of several machines
    precision: str = ""  # Keras's name of it

    @classmethod
    def of(
        cls,
        network: Any,
        progress: TrainingProgress,
        devices: str,
        precision: str,
        *,
        is_chief: bool = True,
    ) -> "TrainedModel":
        """Return a network with what its training has come to.

        Raises:
          ValueError: none of its epochs is the best one.
        """
        if progress.best_epoch is None:
            raise ValueError("expected a training with a best epoch, received one without")
        return cls(
            network=network,
            history=progress.history,
            best_epoch=progress.best_epoch,
            steps=progress.step,
            seconds=progress.seconds,
            batch_size=progress.batch_size,
            learning_rate=progress.learning_rate,
            rates_tried=progress.rates_tried,
            devices=devices,
            is_chief=is_chief,
            precision=precision,
        )


def used_values(progress: TrainingProgress, devices: str, precision: str) -> dict[str, str]:
    """Return what a training runs with, where the config may say auto."""
    return {
        "batch_size": str(progress.batch_size),
        "learning_rate": repr(progress.learning_rate),
        "devices": devices,
        "precision": precision,
    }


def trained_network(
    recipe: TrainingRecipe, dataset: ImageDataset, progress: TrainingProgress, weights: Path
) -> Any:
    """Build the network of a training anew, with the weights in a file, and return it.

    The layers that learned last are the trainable ones.
    """
    config = recipe.trainer
    network = build_model(config, dataset.size_px, len(dataset.labels))
    begun = [
        phase
        for phase in phases(config, progress.learning_rate)
        if phase.first_epoch < progress.epochs
    ]
    begun[-1].choose_layers(network)
    network.load_weights(weights)
    return network
