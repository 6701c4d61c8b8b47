"""Loss, accuracy and learning rate by epoch."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trainer.pictures.picture import SOFT, TRAINING, VALIDATION, CannotDraw, new_figure
from trainer.pictures.picture_data import PictureData

TITLE = "Learning curves"
CAPTION = (
    "Where the training curve gets better and the validation curve does not, the network learns "
    "its training images by heart; the vertical line marks the epoch whose weights were kept."
)

PANELS = ("loss", "accuracy", "learning_rate")


def draw(data: PictureData) -> Figure:
    """Draw a panel for each of PANELS that the history has.

    Raises:
      CannotDraw: it has none of them.
    """
    history = data.history
    shown = [name for name in PANELS if history.get(name)]
    if not shown:
        raise CannotDraw("the training left no history.")
    figure = new_figure(2.9)
    for panel, name in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        lines = {"training": history[name], "validation": history.get(f"val_{name}")}
        if name == "learning_rate":
            lines = {"": history[name]}
        _draw_panel(panel, name.replace("_", " "), lines, data.best_epoch)
    return figure


def _draw_panel(
    panel: Axes, title: str, lines: dict[str, list[float] | None], best_epoch: int
) -> None:
    for (label, values), colour in zip(lines.items(), (TRAINING, VALIDATION), strict=False):
        if values:
            epochs = range(1, len(values) + 1)
            marker = "o" if len(values) < 30 else None
            panel.plot(epochs, values, colour, label=label, marker=marker, markersize=3)
    panel.axvline(best_epoch + 1, color=SOFT, linestyle="--", linewidth=1, zorder=0)
    panel.set_title(title, fontweight="bold", loc="left")
    panel.set_xlabel(f"epoch (best: {best_epoch + 1})")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.grid(alpha=0.25)
    if len(panel.lines) > 2:
        panel.legend(frameon=False)
