"""The kernels of the first convolution."""

import math
from typing import Any

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from trainer.array_types import FloatArray
from trainer.pictures.grid import Grid
from trainer.pictures.picture import CannotDraw
from trainer.pictures.picture_data import PictureData

TITLE = "First-layer filters"
CAPTION = (
    "The small patterns that the first convolution looks for; edges and colour contrasts are a "
    "good sign, noise says that it has hardly learned."
)

MOST_TILES = 64
COLUMNS = 16
RGB = 3
WIDEST_TILE_IN = 0.8


def draw(data: PictureData) -> Figure:
    """Draw each kernel in colour, or each of its channels where they are no colours.

    Raises:
      CannotDraw: no layer has a kernel of two dimensions.
    """
    layer, kernel = _first_kernel(data)
    height, width, channels, _ = kernel.shape
    tiles = _tiles(kernel)
    shown = tiles[:MOST_TILES]
    columns = min(COLUMNS, len(shown))
    grid = Grid([0] * math.ceil(len(shown) / columns), columns, WIDEST_TILE_IN)
    for number, tile in enumerate(shown):
        grid.put(number, tile, cmap="RdBu_r", vmin=0, vmax=1)  # what has colours needs no map
    what = "in colour" if channels == RGB else "channel by channel: red adds, blue takes away"
    some_of = "" if len(shown) == len(tiles) else f"{len(shown)} of "
    kind = "filters" if channels == RGB else "kernels"
    grid.headline(
        f"{layer.name}: {some_of}{len(tiles):,} {kind} of {height} x {width} pixels, {what}"
    )
    return grid.figure


def _first_kernel(data: PictureData) -> tuple[Any, FloatArray]:
    """Return the first layer that has a kernel over pixels, and that.

    float32 [height, width, channels in, filters].
    """
    for traced in data.calls:
        layer = traced.call.layer
        for weight in layer.weights:
            if len(weight.shape) == 4 and _is_direct(layer, weight):
                kernel = ops.convert_to_numpy(ops.cast(weight.value, "float32"))
                if "depthwise" in weight.name:  # [height, width, channels, multiplier]
                    kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
                return layer, kernel
    raise CannotDraw("no layer of the model is a convolution over images.")


def _is_direct(layer: Any, weight: Any) -> bool:
    """Return whether a weight is the layer's own and no inner layer's."""
    return any(weight is own for own in layer._trainable_variables + layer._non_trainable_variables)


def _tiles(kernel: FloatArray) -> list[FloatArray]:
    """Return a picture in 0..1 of each filter; grey is no influence, and all have one scale."""
    scaled = 0.5 + kernel / (2 * max(float(np.abs(kernel).max()), 1e-12))
    if kernel.shape[2] == RGB:
        return list(np.moveaxis(scaled, 3, 0))
    return list(scaled.reshape(*kernel.shape[:2], -1).transpose(2, 0, 1))
