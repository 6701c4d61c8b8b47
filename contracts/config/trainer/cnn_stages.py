"""The stages of the `cnn` model, and the height and width that each leaves of the picture."""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from contracts.config.trainer.model_options import CnnOptions, Padding, Pooling
from contracts.config.trainer.per_stage import for_stages

# Where no option sets the number of stages, stages are added while the side stays at least this,
# and the last one has this number of filters.
SMALLEST_SIDE_PX: Final = 3
LAST_FILTERS: Final = 256


@dataclass(frozen=True)
class CnnStage:
    """A convolution with its pooling."""

    filters: int
    kernel_size: int
    stride: int
    padding: Padding
    pooling: Pooling

    def side_after(self, side_px: int) -> int:
        """Return height and width behind the stage; 0 or less where nothing is left."""
        if self.padding == "valid":
            side_px -= self.kernel_size - 1
        convolved = -(-side_px // self.stride)
        return convolved if self.pooling == "none" else convolved // 2


def cnn_stages(options: CnnOptions, size_px: int) -> tuple[CnnStage, ...]:
    """Return the stages for images of `size_px` pixels a side.

    Where no option says how many they are, they leave 3 to 5 pixels a side, the last with 256
    filters; each has twice the filters of the one before on a quarter of the pixels, so that all
    cost the same. 32 px: 64, 128, 256. 96 px: 16, 32, 64, 128, 256.

    Raises:
      ValueError: options that are lists have not the same length.
    """
    lengths = {len(entries) for entries in options.per_stage().values()}
    if len(lengths) > 1:
        raise ValueError(f"expected one entry a stage in every list, received {options}")
    number = lengths.pop() if lengths else _fitting_number(options, size_px)
    return _stages(options, number)


def sides(stages: tuple[CnnStage, ...], size_px: int) -> tuple[int, ...]:
    """Return height and width behind each stage."""
    behind = accumulate(stages, lambda side_px, stage: stage.side_after(side_px), initial=size_px)
    return tuple(behind)[1:]


def _fitting_number(options: CnnOptions, size_px: int) -> int:
    # Halving leaves room for `most` stages; stages that shrink more leave room for fewer.
    most = max(1, int(math.log2(size_px / SMALLEST_SIDE_PX)))
    behind = sides(_stages(options, most), size_px)
    return max(1, sum(side_px >= SMALLEST_SIDE_PX for side_px in behind))


def _stages(options: CnnOptions, number: int) -> tuple[CnnStage, ...]:
    fitting = (max(1, LAST_FILTERS >> (number - 1 - stage)) for stage in range(number))
    columns = (
        options.filters or tuple(fitting),
        for_stages(options.kernel_size, number),
        for_stages(options.stride, number),
        for_stages(options.padding, number),
        for_stages(options.pooling, number),
    )
    return tuple(CnnStage(*row) for row in zip(*columns, strict=True))
