"""What a picture is, its style, and the error that leaves one out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

WIDTH_IN = 9.0
DPI = 110

RIGHT, WRONG, SOFT = "#1a7f37", "#c4232e", "#6e7781"
TRAINING, VALIDATION = "#4269d0", "#e8710a"

STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",  # on a dark page too: the colours are made for it
    "image.interpolation": "nearest",
    "text.parse_math": False,  # a class may be named $
}
LONGEST_LABEL_IN = 1.5
CHARACTER_IN = 0.079  # at the size of titles, on average and a little more


class CannotDraw(Exception):
    """The picture cannot be drawn; the text says why."""


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows."""

    name: str
    file: str  # in the folder of the pictures
    title: str
    caption: str  # for a person who has just finished a course


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of all pictures, whatever matplotlib is set to elsewhere."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def new_figure(
    height_in: float,
    width_in: float = WIDTH_IN,
    layout: Literal["constrained"] | None = "constrained",
) -> Figure:
    """Return an empty figure, which lays itself out where nothing else is said."""
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: "Path") -> None:
    """Write a figure as PNG; the same figure gives the same bytes."""
    figure.savefig(path, format="png", metadata={"Software": None})


def fitted(before: str, label: str, after: str, width_in: float) -> str:
    """Return the text, with the middle of the class name cut out where it would be wider.

    Names that are alike mostly differ at their ends.
    """
    room = max(5, int(width_in / CHARACTER_IN) - len(before) - len(after))
    if len(label) > room:
        tail = (room - 1) // 3
        label = f"{label[: room - 1 - tail]}…{label[-tail:]}"
    return f"{before}{label}{after}"


def short(label: str) -> str:
    """Return a class name that fits beside an axis."""
    return fitted("", label, "", LONGEST_LABEL_IN)
