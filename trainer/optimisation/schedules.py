"""The learning rate, step by step."""

import math
from typing import Any

import keras
from keras import ops

# One cycle (Smith and Topin, 2018, arXiv:1708.07120) as fastai and PyTorch set it.
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1e-5

# `step` divides the rate by ten after these shares of the steps (He et al., 2015,
# arXiv:1512.03385, 4.2).
STEP_AT = (0.5, 0.75)
STEP_FACTOR = 0.1


@keras.saving.register_keras_serializable("imgpipe")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A rise to the peak, then the named schedule; after the last step the last rate stays.

    Args:
      kind: cosine, step, one_cycle or constant.
      peak: the highest rate.
      steps: of the whole training, the rise included.
      rise: steps of the rise: linear from 0, with one_cycle along a cosine from a 25th.
    """

    def __init__(self, kind: str, peak: float, steps: int, rise: int) -> None:
        super().__init__()
        self.kind, self.peak, self.steps, self.rise = kind, peak, steps, rise

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, counted from 0: float32 []."""
        step = ops.cast(step, "float32")
        # The first step of a rise has a rate above 0.
        risen = ops.minimum((step + 1) / max(self.rise, 1), 1.0)
        gone = ops.clip((step - self.rise) / max(self.steps - self.rise, 1), 0.0, 1.0)
        if self.kind == "one_cycle":
            rising = _between(ONE_CYCLE_START, 1.0, risen)
            return self.peak * ops.where(step < self.rise, rising, _between(1, ONE_CYCLE_END, gone))
        factor: Any = 1.0
        if self.kind == "cosine":
            factor = _between(1.0, 0.0, gone)
        elif self.kind == "step":
            part = step / self.steps
            for at in STEP_AT:
                factor = factor * ops.where(part < at, 1.0, STEP_FACTOR)
        return self.peak * factor * (risen if self.rise else 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` takes."""
        return {"kind": self.kind, "peak": self.peak, "steps": self.steps, "rise": self.rise}


def _between(start: float, end: float, gone: Any) -> Any:
    """Return the value on a half cosine from `start` to `end`."""
    return end + (start - end) * (1 + ops.cos(math.pi * gone)) / 2
