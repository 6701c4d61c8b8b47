"""The feature maps of each stage of a network for some images."""

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from contracts.artifacts import features
from trainer.array_types import FloatArray, IntArray
from trainer.models.architecture import OWN_STAGE
from trainer.pictures.grid import Grid
from trainer.pictures.layers import TracedCall, maps_of, outputs_at
from trainer.pictures.picture import CannotDraw
from trainer.pictures.picture_data import PictureData

TITLE = "Feature maps"
CAPTION = (
    "Images on their way through the network (those that were chosen, then two of the data), a "
    "band for each stage: bright is where a feature was found; early stages see edges and colours, "
    "late ones parts and whole things."
)

IMAGES_SHOWN = 2
CHANNELS_SHOWN = 8

# Stages that are shown by their names, and sizes where there are no names or more of them.
MOST_STAGES = 12


def draw(data: PictureData) -> Figure:
    """Draw the busiest channels of the last layer of every stage.

    Raises:
      CannotDraw: no layer gives a map of features, or a chosen image cannot be read.
    """
    stages = stages_of(maps_of(data.calls))
    if not stages:
        raise CannotDraw("no layer of the model gives a map of features.")
    of_data = data.pixels(features.VALIDATION, _clear_ones(data))
    images = np.stack([*data.users_images(), *of_data])
    found = outputs_at(data.network, images, [stage.call for stage in stages])
    grid = Grid([1, *[0] * (len(images) - 1)] * len(stages), 1 + CHANNELS_SHOWN)
    number = 0
    for stage in stages:
        maps = ops.convert_to_numpy(ops.cast(found[stage.call], "float32"))
        _, height, width, channels = maps.shape
        shown = busiest(maps, CHANNELS_SHOWN)
        grid.heading(
            number,
            f"{stage.call.layer.name}: {height} x {width}, {len(shown)} of {channels:,} channels",
        )
        for image, of_image in zip(images, maps, strict=True):
            grid.show(number, image)
            for column, channel in enumerate(shown):
                grid.put(number + 1 + column, of_image[..., channel], cmap="viridis")
            number += 1 + CHANNELS_SHOWN
    grid.headline("The channels that vary most, each in its own scale")
    return grid.figure


def stages_of(maps: list[TracedCall]) -> list[TracedCall]:
    """Return the last call in every stage, first to last.

    The names of the layers say the stages. Where they say none, or more than fit, each size of
    maps is a stage, the largest first; of too many sizes the last ones are shown.
    """
    by_name: dict[str, TracedCall] = {}
    by_size: dict[tuple[int, int], TracedCall] = {}
    for traced in maps:
        by_size[traced.map_size] = traced
        named = OWN_STAGE.match(traced.call.layer.name)
        if named:
            by_name[named.group()] = traced
    if len(by_size) <= len(by_name) <= MOST_STAGES:
        return list(by_name.values())
    return sorted(by_size.values(), key=lambda one: -one.map_size[0])[-MOST_STAGES:]


def busiest(maps: FloatArray, most: int) -> IntArray:
    """Return the channels of [images, height, width, channels] that vary most, most first."""
    spread: FloatArray = maps.std(axis=(1, 2)).mean(axis=0)
    return np.argsort(-spread, kind="stable")[:most]


def _clear_ones(data: PictureData) -> IntArray:
    """Return validation images of different classes, right and sure where there are such."""
    predictions = data.validation
    is_right = predictions.predicted == predictions.truth
    order = np.argsort(
        -np.where(is_right, predictions.scores, predictions.scores - 1), kind="stable"
    )
    _, first = np.unique(predictions.truth[order], return_index=True)
    clear: IntArray = order[np.sort(first)][:IMAGES_SHOWN]
    return clear
