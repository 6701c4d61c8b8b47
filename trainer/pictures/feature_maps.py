"""What each stage of a network makes of some images."""

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from contracts import features
from trainer.pictures.evidence import Evidence
from trainer.pictures.layers import Passage, maps_of, outputs_at
from trainer.pictures.picture import CannotDraw, new_figure
from trainer.pictures.sample_predictions import show

TITLE = "Feature maps"
CAPTION = (
    "Two images on their way through the network, a band for each stage: bright is where a "
    "feature was found; early stages see edges and colours, late ones parts and whole things."
)

IMAGES_SHOWN = 2
CHANNELS_SHOWN = 8
MOST_STAGES = 6


def draw(evidence: Evidence) -> Figure:
    """Draw the busiest channels of the last layer of every stage.

    Raises:
      CannotDraw: no layer gives a map of features.
    """
    stages = stages_of(maps_of(evidence.passages))
    if not stages:
        raise CannotDraw("no layer of the model gives a map of features.")
    images = evidence.pixels(features.VALIDATION, _clear_ones(evidence))
    found = outputs_at(evidence.network, images, [stage.place for stage in stages])
    figure = new_figure(1.02 * len(stages) * len(images))
    bands = np.atleast_1d(figure.subfigures(len(stages), 1))
    for band, stage in zip(bands, stages, strict=True):
        maps = ops.convert_to_numpy(ops.cast(found[stage.place], "float32"))
        _, height, width, channels = maps.shape
        layer = stage.place.layer.name
        band.suptitle(
            f"{layer}: {height} x {width}, {min(CHANNELS_SHOWN, channels)} of {channels:,} channels",
            fontsize=9,
            x=0.01,
            ha="left",
        )
        panels = band.subplots(len(images), 1 + CHANNELS_SHOWN, squeeze=False)
        for panel in panels.flat:
            panel.set_axis_off()
        for row, image, of_image in zip(panels, images, maps, strict=True):
            show(row[0], image)
            for panel, channel in zip(row[1:], busiest(maps, CHANNELS_SHOWN), strict=False):
                panel.imshow(of_image[..., channel], cmap="viridis")
    return figure


def stages_of(maps: list[Passage]) -> list[Passage]:
    """Return the last passage of every size, largest first; of many those in the deep."""
    by_size: dict[tuple[int, ...], Passage] = {}
    for passage in maps:
        assert passage.output_shape is not None
        by_size[passage.output_shape[1:3]] = passage
    return sorted(by_size.values(), key=lambda one: -one.output_shape[1])[-MOST_STAGES:]


def busiest(maps: np.ndarray, most: int) -> np.ndarray:
    """Return the channels of [images, height, width, channels] that vary most, most first."""
    spread = maps.std(axis=(1, 2)).mean(axis=0)
    return np.argsort(-spread, kind="stable")[:most]


def _clear_ones(evidence: Evidence) -> np.ndarray:
    """Return validation images of different classes, right and sure where there are such."""
    judged = evidence.validation
    is_right = judged.predicted == judged.truth
    order = np.argsort(-np.where(is_right, judged.scores, judged.scores - 1), kind="stable")
    _, first = np.unique(judged.truth[order], return_index=True)
    return order[np.sort(first)][:IMAGES_SHOWN]
