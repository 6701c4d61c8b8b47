"""Images in rows and columns with a line or two above each."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from trainer.array_types import FloatArray, PixelArray
from trainer.pictures.picture import WIDTH_IN, fitted, new_figure

GAP_IN = 0.08
LINE_IN = 0.165
HEADLINE_IN = 0.3
NARROWEST_IN = 5.5  # for the headline's sake
SMALL_IMAGE_PX = 64  # pixels of smaller ones are meant to be seen


class Grid:
    """Square images on one plane that is measured in inches.

    Axes of their own would cost each image ten times as much.
    """

    def __init__(self, lines: Sequence[int], columns: int, widest_in: float = 2.2) -> None:
        """Take, for each row, how many lines of text have to find room above its images."""
        self._side_in = min(widest_in, (WIDTH_IN - GAP_IN) / columns - GAP_IN)
        self._columns = columns
        width_in = max(NARROWEST_IN, columns * (self._side_in + GAP_IN) + GAP_IN)
        heights_in = [self._side_in + count * LINE_IN + GAP_IN for count in lines]
        self._height_in = HEADLINE_IN + sum(heights_in) + GAP_IN
        # The lower edge of each row's images, from above.
        self._edges_in = [HEADLINE_IN + end - GAP_IN for end in itertools.accumulate(heights_in)]
        self.figure: Figure = new_figure(self._height_in, width_in, layout=None)
        self._plane = self.figure.add_axes((0, 0, 1, 1))
        self._plane.set_axis_off()
        self._plane.set(xlim=(0, width_in), ylim=(0, self._height_in), autoscale_on=False)

    def show(self, number: int, image: FloatArray | PixelArray) -> None:
        """Put an image, [size, size, 3] in 0..255, at a place, counted row by row."""
        smoothing = "nearest" if image.shape[0] <= SMALL_IMAGE_PX else "antialiased"
        self.put(number, np.clip(image, 0, 255).astype(np.uint8), interpolation=smoothing)

    def put(self, number: int, values: FloatArray | PixelArray, **how: Any) -> None:
        """Put values at a place, as `Axes.imshow` shows them."""
        left, bottom = self._corner(number)
        extent = (left, left + self._side_in, bottom, bottom + self._side_in)
        self._plane.imshow(values, extent=extent, aspect="auto", **how)

    def title(self, number: int, *lines: tuple[str, str, str] | str, colour: str = "black") -> None:
        """Put lines above an image; (before, class name, after) is cut to its width."""
        left, bottom = self._corner(number)
        width_in = self._side_in + GAP_IN
        texts = [line if isinstance(line, str) else fitted(*line, width_in) for line in lines]
        middle, top = left + self._side_in / 2, bottom + self._side_in + GAP_IN / 3
        self._plane.text(middle, top, "\n".join(texts), color=colour, ha="center", va="bottom")

    def heading(self, number: int, text: str) -> None:
        """Put a line above an image that may reach over those to its right."""
        left, bottom = self._corner(number)
        self._plane.text(left, bottom + self._side_in + GAP_IN / 3, text, va="bottom")

    def headline(self, text: str) -> None:
        """Put a line above everything."""
        self._plane.text(GAP_IN, self._height_in - GAP_IN, text, va="top", size=9.5)

    def _corner(self, number: int) -> tuple[float, float]:
        """Return left and bottom of an image in inches."""
        row, column = divmod(number, self._columns)
        left = GAP_IN + column * (self._side_in + GAP_IN)
        return left, self._height_in - self._edges_in[row]
