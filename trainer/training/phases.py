"""The phases of a training: with fine-tuning the head alone comes first."""

from dataclasses import dataclass
from typing import Any

from contracts.config.trainer.config import TrainerConfig
from trainer.models.freezing import freeze_backbone, thaw


@dataclass(frozen=True)
class Phase:
    """Epochs in which the same layers are trained, with a learning rate of their own."""

    first_epoch: int
    end_epoch: int  # the first one after it
    learning_rate: float
    trains_head_alone: bool
    trainable_from: str | None  # a layer; None: all

    @property
    def epochs(self) -> int:
        """How many there are."""
        return self.end_epoch - self.first_epoch

    def choose_layers(self, network: Any) -> None:
        """Make the layers of this phase trainable, and freeze the others.

        Without fine-tuning in the config the layers stay as the model was built: a model of the
        user's own may have frozen some.

        Raises:
          ConfigError: there is no layer `trainable_from`.
        """
        if self.trains_head_alone:
            freeze_backbone(network)
        elif self.first_epoch or self.trainable_from is not None:
            thaw(network, self.trainable_from)


def phases(config: TrainerConfig, learning_rate: float) -> list[Phase]:
    """Return the phases of a training in order; one, or two with `fine_tuning.frozen_epochs`."""
    tuning = config.fine_tuning
    frozen = tuning.frozen_epochs
    rate = tuning.learning_rate if frozen and tuning.learning_rate else learning_rate
    last = Phase(frozen, config.epochs, rate, False, tuning.trainable_from)
    first = Phase(0, frozen, learning_rate, True, None)
    return [first, last] if frozen else [last]
