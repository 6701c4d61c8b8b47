"""Some images with what the network says to them."""

import math

from matplotlib.figure import Figure

from contracts.artifacts import features
from trainer.pictures.grid import Grid
from trainer.pictures.picture import RIGHT, WRONG
from trainer.pictures.picture_data import Evidence

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
    grid = Grid([2] * math.ceil(len(chosen) / columns), columns)
    images = evidence.pixels(features.VALIDATION, chosen)
    for number, (index, image) in enumerate(zip(chosen, images, strict=True)):
        grid.show(number, image)
        said, true = (evidence.labels[of[index]] for of in (judged.predicted, judged.truth))
        said_line = ("", said, f" {judged.scores[index]:.2f}")
        if said == true:
            grid.title(number, said_line, colour=RIGHT)
        else:
            grid.title(number, said_line, ("is ", true, ""), colour=WRONG)
    grid.headline(f"{len(chosen)} of {judged.words('validation')}")
    return grid.figure
