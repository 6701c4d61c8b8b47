"""The loss under rising rates, by which `learning_rate: auto` was found."""

from matplotlib.figure import Figure

from trainer.pictures.picture import SOFT, TRAINING, CannotDraw, new_figure
from trainer.pictures.picture_data import PictureData

TITLE = "Learning rate range test"
CAPTION = (
    "The loss of a short trial whose rate rises from step to step: at first it is too small to "
    "learn anything, at last so large that the loss rises again; the vertical line marks the rate "
    "that was taken, a tenth of the one with the lowest loss."
)


def draw(data: PictureData) -> Figure:
    """Draw the smoothed loss over the rates.

    Raises:
      CannotDraw: the rate was not searched for.
    """
    tried = data.rates_tried
    if not tried:
        raise CannotDraw("the learning rate was given.")
    figure = new_figure(2.9)
    axes = figure.subplots()
    axes.plot(tried["rates"], tried["losses"], TRAINING)
    axes.axvline(data.learning_rate, color=SOFT, linestyle="--", linewidth=1, zorder=0)
    axes.set_xscale("log")
    axes.set_title("loss, smoothed", fontweight="bold", loc="left")
    axes.set_xlabel(f"learning rate (taken: {data.learning_rate:.2g})")
    axes.grid(alpha=0.25)
    return figure
