"""Where in an image the evidence for a class lies.

Source: Selvaraju et al., Grad-CAM, 2017, arXiv:1610.02391.
"""

import math
from typing import Any

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from contracts.artifacts import features
from trainer.array_types import FloatArray, IntArray
from trainer.pictures.grid import Grid
from trainer.pictures.layers import (
    LayerCall,
    TracedCall,
    gradient,
    maps_of,
    outputs_at,
    watched,
    without_softmax,
)
from trainer.pictures.picture import RIGHT, WRONG, CannotDraw
from trainer.pictures.picture_data import PictureData, SplitPredictions

TITLE = "Grad-CAM of the worst errors"
CAPTION = (
    "For the validation images that are wrong with the most confidence (then those that are right "
    "with the least): what speaks for the class that the network said, and for the true or the "
    "next one; where the bright parts lie beside the thing itself, it has learned its surroundings."
)

IMAGES_A_ROW = 2
PANELS = 3  # image, evidence for one class, for another


def draw(data: PictureData) -> Figure:
    """Draw image, evidence for the predicted and for the true class, of the hardest images.

    Raises:
      CannotDraw: no layer gives a map of features.
    """
    layer = cam_layer(data.calls)
    predictions, hardest = data.validation, data.hardest
    images = data.pixels(features.VALIDATION, hardest)
    said = predictions.predicted[hardest]
    others = _others(predictions, hardest)
    heats = [grad_cam(data.network, data.calls, images, classes) for classes in (said, others)]
    columns = min(IMAGES_A_ROW, len(images))
    grid = Grid([1] * math.ceil(len(images) / columns), PANELS * columns)
    for number, (index, image) in enumerate(zip(hardest, images, strict=True)):
        first = PANELS * number
        grid.show(first, image)
        grid.title(first, ("is ", data.labels[predictions.truth[index]], ""))
        for place, heat, classes in zip((first + 1, first + 2), heats, (said, others), strict=True):
            _overlay(grid, place, image, heat[number])
            label = classes[number]
            colour = RIGHT if label == predictions.truth[index] else WRONG
            score = f" {predictions.probabilities[index, label]:.2f}"
            grid.title(place, ("", data.labels[label], score), colour=colour)
    grid.headline(
        f"What speaks for the class of the highest score, then for "
        f"the true (or the next) one; layer {layer.call.layer.name}, "
        f"{layer.map_size[0]} x {layer.map_size[1]}"
    )
    return grid.figure


def _others(predictions: SplitPredictions, indices: IntArray) -> IntArray:
    """Return the true class if the prediction is wrong, else the class with the next best score."""
    order = np.argsort(-predictions.probabilities[indices], axis=1, kind="stable")
    runner_up = order[:, min(1, order.shape[1] - 1)]
    truth = predictions.truth[indices]
    return np.where(predictions.predicted[indices] == truth, runner_up, truth)


def cam_layer(found: list[TracedCall]) -> TracedCall:
    """Return the last call that gives a map of features.

    Raises:
      CannotDraw: there is none.
    """
    maps = maps_of(found)
    if not maps:
        raise CannotDraw("no layer of the model gives a map of features.")
    return maps[-1]


def grad_cam(
    network: Any, found: list[TracedCall], pixels: FloatArray, classes: IntArray
) -> FloatArray:
    """Return the evidence for one class in each image.

    Args:
      network: maps pixels to probabilities.
      found: the calls of its layers.
      pixels: float32 [batch, size, size, 3] in 0..255.
      classes: int [batch].

    Returns:
      float32 [batch, height, width] of the layer that `cam_layer` names, from 0; the largest of
      each image is 1, or all are 0 where nothing speaks for the class.
    """
    call = cam_layer(found).call
    activations = outputs_at(network, pixels, [call])[call]
    chosen = ops.one_hot(classes, network(pixels[:1], training=False).shape[-1])
    with without_softmax(found) as gives_logits:

        def class_score(replacing: Any) -> Any:
            def replace(at: LayerCall, _: Any, gave: Any) -> Any:
                return replacing if at == call else gave

            with watched([call.layer], replace):
                answers = ops.cast(network(pixels, training=False), "float32")
            if not gives_logits:
                answers = ops.log(answers + 1e-7)
            return ops.sum(answers * chosen)

        slopes = gradient(class_score, activations)
    weights = ops.mean(ops.cast(slopes, "float32"), axis=(1, 2), keepdims=True)
    heat = ops.relu(ops.sum(weights * ops.cast(activations, "float32"), axis=-1))
    highest = ops.max(heat, axis=(1, 2), keepdims=True)
    evidences: FloatArray = ops.convert_to_numpy(
        ops.where(highest > 0, heat / (highest + 1e-20), 0.0)
    )
    return evidences


def _overlay(grid: Grid, number: int, image: FloatArray, heat: FloatArray) -> None:
    """Lay the evidence over a grey image."""
    grid.show(number, np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2))
    grid.put(number, heat, cmap="inferno", vmin=0, vmax=1, alpha=0.6, interpolation="bilinear")
