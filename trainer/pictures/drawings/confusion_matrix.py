"""Which class is predicted for which, readable for two classes and for a thousand."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trainer.array_types import IntArray
from trainer.pictures.picture import TRAINING, WIDTH_IN, WRONG, new_figure, short
from trainer.pictures.picture_data import PictureData, SplitPredictions

TITLE = "Confusion matrix"
CAPTION = (
    "Each row is a true class and says what its validation images were taken for; whatever lies "
    "beside the diagonal is a mistake, and a pair of classes with many is worth a look."
)

# Of more classes no square could be read: then the most confused pairs are shown.
LARGEST_MATRIX = 24
PAIRS_SHOWN = 20


def confusion(truth: IntArray, predicted: IntArray, classes: int) -> IntArray:
    """Return how often each class was taken for each, int [classes true, classes predicted]."""
    flat = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes)


def most_confused(counts: IntArray, most: int) -> list[tuple[int, int, int]]:
    """Return (true class, predicted class, images) of the most frequent mistakes, worst first."""
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    pairs = [divmod(int(flat), len(counts)) for flat in order]
    return [
        (true, taken, int(counts[true, taken])) for true, taken in pairs if mistakes[true, taken]
    ]


def draw(data: PictureData) -> Figure:
    """Draw the matrix of the validation images, or its most confused pairs."""
    predictions = data.validation
    counts = confusion(predictions.truth, predictions.predicted, len(data.labels))
    if len(counts) <= LARGEST_MATRIX:
        return _draw_matrix(counts, data.labels, _headline(predictions))
    return _draw_pairs(counts, data.labels, _headline(predictions))


def _headline(predictions: SplitPredictions) -> str:
    right = float(np.mean(predictions.predicted == predictions.truth))
    return f"{100 * right:.1f} % of {predictions.count_text('validation')} are right"


def _draw_matrix(counts: IntArray, labels: Sequence[str], headline: str) -> Figure:
    classes = len(labels)
    side_in = min(WIDTH_IN, 2.6 + 0.42 * classes)
    figure = new_figure(side_in * 0.88, side_in)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            size = 9 if classes <= 12 else 7
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, size=size)
    names = [short(label) for label in labels]
    axes.set_xticks(range(classes), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(classes), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.suptitle(headline, fontsize=10)
    return figure


def _draw_pairs(counts: IntArray, labels: Sequence[str], headline: str) -> Figure:
    """Draw the most confused pairs, and how the right answers spread over the classes."""
    pairs = most_confused(counts, PAIRS_SHOWN)
    figure = new_figure(max(2.8, 1.2 + 0.24 * len(pairs)))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    positions = range(len(pairs))
    left.barh(positions, [count for *_, count in pairs], color=WRONG)
    left.set_yticks(
        positions,
        [f"{short(labels[true])} taken for {short(labels[taken])}" for true, taken, _ in pairs],
    )
    left.invert_yaxis()
    title = "Most frequent mistakes" if pairs else "No mistakes"
    left.set_title(title, loc="left", fontweight="bold")
    left.set_xlabel("images")
    left.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for position, (true, _, count) in enumerate(pairs):
        left.text(count, position, f" {count:,} of {counts[true].sum():,}", va="center", size=8)
    left.margins(x=0.2)
    has_images = counts.sum(axis=1) > 0
    recalls = np.diag(counts)[has_images] / counts.sum(axis=1)[has_images]
    right.hist(recalls, bins=np.linspace(0, 1, 11), color=TRAINING, rwidth=0.92)
    right.set_title(f"Right answers in {len(recalls):,} classes", loc="left", fontweight="bold")
    right.set_xlabel("share of right answers in a class")
    right.set_ylabel("classes")
    figure.suptitle(headline, fontsize=10)
    return figure
