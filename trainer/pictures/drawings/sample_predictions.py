"""Some images with the class that the network predicts for each."""

import math

from matplotlib.figure import Figure

from contracts.artifacts import features
from trainer.pictures.grid import Grid
from trainer.pictures.picture import RIGHT, WRONG
from trainer.pictures.picture_data import PictureData

TITLE = "Sample predictions"
CAPTION = (
    "A fixed random sample of validation images, which the network was not trained on: what it "
    "says and how sure it is (green: right, red: wrong, with the true class below)."
)

COLUMNS = 4


def draw(data: PictureData) -> Figure:
    """Draw the sample; the same data and seed give the same images."""
    predictions, sample = data.validation, data.sample
    columns = min(COLUMNS, len(sample))
    grid = Grid([2] * math.ceil(len(sample) / columns), columns)
    images = data.pixels(features.VALIDATION, sample)
    for number, (index, image) in enumerate(zip(sample, images, strict=True)):
        grid.show(number, image)
        said, true = (data.labels[of[index]] for of in (predictions.predicted, predictions.truth))
        said_line = ("", said, f" {predictions.scores[index]:.2f}")
        if said == true:
            grid.title(number, said_line, colour=RIGHT)
        else:
            grid.title(number, said_line, ("is ", true, ""), colour=WRONG)
    grid.headline(f"{len(sample)} of {predictions.count_text('validation')}")
    return grid.figure
