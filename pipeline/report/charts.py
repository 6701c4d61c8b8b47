"""Charts as SVG, without a plotting library and without a network."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[Any]  # of any number type, [count]

WIDTH, HEIGHT = 460, 220
LEFT, RIGHT, TOP, BOTTOM = 60, 90, 24, 28
BASE, BASE_HEIGHT = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
COLOURS = ("#4269d0", "#e8710a")


def curve(title: str, series: Mapping[str, Sequence[float]], best_epoch: int) -> Markup:
    """Return a line chart over the epochs; a thin line marks the epoch that was kept.

    Args:
      title: what is drawn.
      series: name -> value of each epoch, all finite.
      best_epoch: from 0.
    """
    values = [value for line in series.values() for value in line]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    epochs = max(len(line) for line in series.values())

    def x(epoch: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * epoch / max(epochs - 1, 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / span)

    parts = [
        f'<text x="{LEFT}" y="14" class="title">{title}</text>',
        f'<line x1="{x(best_epoch):.1f}" x2="{x(best_epoch):.1f}" y1="{TOP}" '
        f'y2="{HEIGHT - BOTTOM}" class="best"/>',
        f'<text x="{x(best_epoch):.1f}" y="{HEIGHT - 8}" class="middle">'
        f"epoch {best_epoch + 1} of {epochs}</text>",
    ]
    parts += [
        f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" class="end">{value:.3g}</text>'
        for value in (low, high)
    ]
    label_ys = _apart([y(line[-1]) for line in series.values()])
    for (name, line), colour, label_y in zip(series.items(), COLOURS, label_ys, strict=False):
        points = " ".join(f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in enumerate(line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        last = f'cx="{x(len(line) - 1):.1f}" cy="{y(line[-1]):.1f}"'
        parts.append(f'<circle {last} r="2.5" fill="{colour}"/>')  # of one epoch there is no line
        end = f'x="{x(len(line) - 1) + 6:.1f}" y="{label_y + 4:.1f}"'
        parts.append(f'<text {end} style="fill: {colour}">{name}</text>')
    return Markup(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>')


def histogram(title: str, values: "Numbers", edges: "Numbers", unit: str) -> Markup:
    """Return a histogram: a bar for each interval between `edges`, as high as its number of values.

    Args:
      title: what is drawn.
      values: all finite; those beyond the edges belong to the outermost bars.
      edges: rising, at least two.
      unit: stands behind the first and the last edge.
    """
    import numpy as np

    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    most = max(int(counts.max()), 1)
    width = (WIDTH - LEFT - RIGHT) / len(counts)
    bars = [
        f'<rect x="{LEFT + width * number:.1f}" y="{BASE - BASE_HEIGHT * count / most:.1f}" '
        f'width="{max(width - 1, 1):.1f}" height="{BASE_HEIGHT * count / most:.1f}">'
        f"<title>{edges[number]:.3g} to {edges[number + 1]:.3g} {unit}: {count:,}</title></rect>"
        for number, count in enumerate(counts)
    ]
    end = WIDTH - RIGHT
    parts = [
        f'<text x="{LEFT}" y="14" class="title">{title}</text>',
        *bars,
        f'<text x="{LEFT - 6}" y="{TOP + 4}" class="end">{most:,}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{edges[0]:.3g} {unit}</text>',
        f'<text x="{end}" y="{HEIGHT - 8}" class="end">{edges[-1]:.3g} {unit}</text>',
    ]
    return Markup(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>')


def _apart(heights: Sequence[float], gap: float = 14.0) -> list[float]:
    """Return the heights of two labels so that one does not cover the other."""
    if len(heights) == 2 and abs(heights[0] - heights[1]) < gap:
        middle, upper_first = sum(heights) / 2, heights[0] <= heights[1]
        pair = [middle - gap / 2, middle + gap / 2]
        return pair if upper_first else pair[::-1]
    return list(heights)
