"""The steps of a whole training, of which one call of `fit` may be a part."""

from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class StepPlan:
    """The epochs and steps of a whole training, and the steps that are done."""

    epochs: int  # of the whole training
    steps_per_epoch: int
    first_step: int = 0  # of the whole training; in the middle of an epoch after an interruption

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.epochs * self.steps_per_epoch

    def step(self, epoch: int, batch: int) -> int:
        """Return the steps that are done after a batch of an epoch, both as `fit` counts them."""
        first_epoch, gone = divmod(self.first_step, self.steps_per_epoch)
        begins = epoch * self.steps_per_epoch
        done = begins + batch + 1 + (gone if epoch == first_epoch else 0)
        # Keras counts all steps of the last execution (`steps_per_execution`), done or not.
        return min(done, begins + self.steps_per_epoch)


class StepCallback(keras.callbacks.Callback):
    """Knows the steps of the whole training, which `fit` does not."""

    def __init__(self, plan: StepPlan) -> None:
        super().__init__()
        self._plan = plan
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def _step(self, batch: int) -> int:
        """Return the steps that are done after a batch of this epoch."""
        return self._plan.step(self._epoch, batch)
