"""Some images with what the network says to them."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contracts import features
from trainer.pictures.evidence import Evidence
from trainer.pictures.picture import RIGHT, WIDTH_IN, WRONG, new_figure, short

TITLE = "Sample predictions"
CAPTION = (
    "A fixed random sample of validation images, which the network was not trained on: what it "
    "says and how sure it is (green: right, red: wrong, with the true class below)."
)

COLUMNS = 4


def draw(evidence: Evidence) -> Figure:
    """Draw the sample; the same data and seed give the same images."""
    judged, chosen = evidence.validation, evidence.chosen
    columns = min(COLUMNS, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    figure = new_figure(rows * 2.5, WIDTH_IN * columns / COLUMNS)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    images = evidence.pixels(features.VALIDATION, chosen)
    for panel, index, image in zip(panels, chosen, images, strict=False):
        show(panel, image)
        said = f"{short(evidence.labels[judged.predicted[index]])} {judged.scores[index]:.2f}"
        is_right = judged.predicted[index] == judged.truth[index]
        truth = "" if is_right else f"\nis {short(evidence.labels[judged.truth[index]])}"
        panel.set_title(said + truth, color=RIGHT if is_right else WRONG)
    for panel in list(figure.axes)[len(chosen) :]:
        panel.set_axis_off()
    return figure


def show(panel: Axes, image: np.ndarray) -> None:
    """Put an image, [size, size, 3] in 0..255, into a panel without axes."""
    smoothing = "nearest" if image.shape[0] <= 64 else "antialiased"
    panel.imshow(np.clip(image, 0, 255).astype(np.uint8), interpolation=smoothing)
    panel.set_axis_off()
