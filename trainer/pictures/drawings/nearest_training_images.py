"""The training images nearest to the worst errors, by the network's last features."""

import numpy as np
from matplotlib.figure import Figure

from contracts.artifacts import features
from trainer.array_types import FloatArray, IntArray
from trainer.pictures.grid import Grid
from trainer.pictures.picture import RIGHT, SOFT, WRONG, CannotDraw
from trainer.pictures.picture_data import PictureData

TITLE = "Nearest training images"
CAPTION = (
    "To the left the worst errors, beside each the training images that look most like it to the "
    "network (its last layer but one); a neighbour with a wrong label, or no neighbour of the true "
    "class, explains the error."
)

NEIGHBOURS = 6


def draw(data: PictureData) -> Figure:
    """Draw the hardest validation images, each with its neighbours.

    Raises:
      CannotDraw: what the last layer is given cannot be seen.
    """
    predictions, hardest = data.validation, data.hardest
    if not predictions.features.shape[1]:
        raise CannotDraw("no layer of the model has weights and takes one tensor.")
    training = data.training
    neighbours, similarity = nearest(predictions.features[hardest], training.features, NEIGHBOURS)
    images = data.pixels(features.VALIDATION, hardest)
    shown = np.unique(neighbours)
    by_index = dict(zip(shown.tolist(), data.pixels(features.TRAIN, shown), strict=True))
    columns = 1 + neighbours.shape[1]
    grid = Grid([2] * len(hardest), columns)
    for row, (index, image) in enumerate(zip(hardest, images, strict=True)):
        true, said = predictions.truth[index], predictions.predicted[index]
        grid.show(row * columns, image)
        grid.title(
            row * columns,
            ("is ", data.labels[true], ""),
            ("said ", data.labels[said], ""),
            colour=RIGHT if true == said else WRONG,
        )
        pairs = zip(neighbours[row], similarity[row], strict=True)
        for place, (neighbour, alike) in enumerate(pairs, row * columns + 1):
            label = training.truth[neighbour]
            colour = RIGHT if label == true else WRONG if label == said else SOFT
            grid.show(place, by_index[int(neighbour)])
            grid.title(place, ("", data.labels[label], ""), f"{alike:.2f}", colour=colour)
    grid.headline(
        f"Among {training.count_text('training')}; the number is the cosine of the features, "
        "1: the same to the network"
    )
    return grid.figure


def nearest(queries: FloatArray, among: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
    """Return the rows of `among` that are most like each query, most first, and how much.

    Args:
      queries: float32 [queries, features].
      among: float32 [rows, features].
      count: of neighbours; fewer where there are fewer rows.

    Returns:
      int and float32 [queries, count]; the cosine of the angle between the two.
    """
    cosines = _of_length_one(queries) @ _of_length_one(among).T
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(cosines, order, axis=1)


def _of_length_one(rows: FloatArray) -> FloatArray:
    lengths: FloatArray = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: FloatArray = rows / np.maximum(lengths, 1e-12)
    return directions
