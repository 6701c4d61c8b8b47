"""Where in an image the evidence for a class lies.

Source: Selvaraju et al., Grad-CAM, 2017, arXiv:1610.02391.
"""

import math
from typing import Any

import numpy as np
from keras import ops
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contracts import features
from trainer.pictures.evidence import Evidence
from trainer.pictures.layers import (
    Passage,
    Place,
    gradient,
    maps_of,
    outputs_at,
    watched,
    without_softmax,
)
from trainer.pictures.picture import RIGHT, WIDTH_IN, WRONG, CannotDraw, new_figure, short
from trainer.pictures.sample_predictions import show

TITLE = "Grad-CAM of the worst errors"
CAPTION = (
    "For the validation images that are wrong with the most confidence (then those that are right "
    "with the least): what speaks for the class that the network said, and for the true one; "
    "bright parts count, and if they lie beside the thing itself, it has learned the surroundings."
)

IMAGES_A_ROW = 2


def draw(evidence: Evidence) -> Figure:
    """Draw image, evidence for the predicted and for the true class, of the hardest images.

    Raises:
      CannotDraw: no layer gives a map of features.
    """
    layer = cam_layer(evidence.passages)
    judged, hardest = evidence.validation, evidence.hardest
    images = evidence.pixels(features.VALIDATION, hardest)
    predicted, truth = judged.predicted[hardest], judged.truth[hardest]
    heat_of_said = grad_cam(evidence.network, evidence.passages, images, predicted)
    heat_of_true = grad_cam(evidence.network, evidence.passages, images, truth)
    columns = min(IMAGES_A_ROW, len(images))
    rows = math.ceil(len(images) / columns)
    figure = new_figure(0.4 + 1.75 * rows, WIDTH_IN * columns / IMAGES_A_ROW)
    panels = figure.subplots(rows, 3 * columns, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        original, said, true = panels[row, 3 * column : 3 * column + 3]
        is_right = predicted[number] == truth[number]
        show(original, image)
        original.set_title(f"is {short(evidence.labels[truth[number]])}")
        _overlay(said, image, heat_of_said[number])
        score = f"{judged.scores[hardest[number]]:.2f}"
        said.set_title(
            f"said {short(evidence.labels[predicted[number]])} {score}",
            color=RIGHT if is_right else WRONG,
        )
        if not is_right:
            _overlay(true, image, heat_of_true[number])
            true.set_title(f"for {short(evidence.labels[truth[number]])}")
    figure.suptitle(
        f"Grad-CAM at layer {layer.place.layer.name}, "
        f"{layer.output_shape[1]} x {layer.output_shape[2]}",
        fontsize=9,
    )
    return figure


def cam_layer(found: list[Passage]) -> Passage:
    """Return the last passage that gives a map of features.

    Raises:
      CannotDraw: there is none.
    """
    maps = maps_of(found)
    if not maps:
        raise CannotDraw("no layer of the model gives a map of features.")
    return maps[-1]


def grad_cam(
    network: Any, found: list[Passage], pixels: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return the evidence for one class in each image.

    Args:
      network: maps pixels to probabilities.
      found: its passages.
      pixels: float32 [batch, size, size, 3] in 0..255.
      classes: int [batch].

    Returns:
      float32 [batch, height, width] of the layer that `cam_layer` names, from 0; the largest of
      each image is 1, or all are 0 where nothing speaks for the class.
    """
    place = cam_layer(found).place
    activations = outputs_at(network, pixels, [place])[place]
    chosen = ops.one_hot(classes, network(pixels[:1], training=False).shape[-1])
    with without_softmax(found) as gives_logits:

        def evidence(replacing: Any) -> Any:
            def replace(at: Place, _: Any, gave: Any) -> Any:
                return replacing if at == place else gave

            with watched([place.layer], replace):
                answers = ops.cast(network(pixels, training=False), "float32")
            if not gives_logits:
                answers = ops.log(answers + 1e-7)
            return ops.sum(answers * chosen)

        slopes = gradient(evidence, activations)
    weights = ops.mean(ops.cast(slopes, "float32"), axis=(1, 2), keepdims=True)
    heat = ops.relu(ops.sum(weights * ops.cast(activations, "float32"), axis=-1))
    highest = ops.max(heat, axis=(1, 2), keepdims=True)
    return ops.convert_to_numpy(ops.where(highest > 0, heat / (highest + 1e-20), 0.0))


def _overlay(panel: Axes, image: np.ndarray, heat: np.ndarray) -> None:
    """Lay the evidence over a grey image."""
    size = image.shape[0]
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    show(panel, grey)
    extent = (-0.5, size - 0.5, size - 0.5, -0.5)
    panel.imshow(
        heat, cmap="inferno", vmin=0, vmax=1, alpha=0.6, extent=extent, interpolation="bilinear"
    )
