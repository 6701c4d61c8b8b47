"""A picture of a network: a box for each stage."""

import io
from collections.abc import Sequence
from typing import Any

from trainer.models.architecture import Stage

WIDTH_INCHES = 6.4
BOX_INCHES = 0.46
GAP_INCHES = 0.2
MARGIN_INCHES = 0.25
TITLE_INCHES = 0.45

# From the lightest to the darkest, by the share of all parameters.
LIGHT, DARK = (0.93, 0.96, 0.99), (0.42, 0.65, 0.86)
EDGE = "#33536b"


def diagram(title: str, stages: Sequence[Stage]) -> str:
    """Return an SVG picture: the stages from top to bottom with output shape and parameters.

    The darker a box, the more of the parameters are in it. The same stages give the same text.
    """
    import matplotlib
    from matplotlib.figure import Figure  # brought by MLflow

    pitch = BOX_INCHES + GAP_INCHES
    height = TITLE_INCHES + len(stages) * pitch - GAP_INCHES + MARGIN_INCHES
    figure = Figure(figsize=(WIDTH_INCHES, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH_INCHES)
    axes.set_ylim(0, height)
    axes.axis("off")
    top = height - TITLE_INCHES
    axes.text(MARGIN_INCHES, height - TITLE_INCHES / 2, title, weight="bold", va="center")
    most = max((stage.parameters for stage in stages), default=0) or 1
    for number, stage in enumerate(stages):
        bottom = top - number * pitch - BOX_INCHES
        _draw_box(axes, stage, bottom, stage.parameters / most)
        if number:
            _draw_arrow(axes, bottom + BOX_INCHES + GAP_INCHES, bottom + BOX_INCHES)
    drawn = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "imgpipe"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()


def _draw_box(axes: Any, stage: Stage, bottom: float, share: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    colour = [light + share * (dark - light) for light, dark in zip(LIGHT, DARK, strict=True)]
    width = WIDTH_INCHES - 2 * MARGIN_INCHES
    style = "round,pad=0,rounding_size=0.08"
    box = FancyBboxPatch(
        (MARGIN_INCHES, bottom), width, BOX_INCHES, style, facecolor=colour, edgecolor=EDGE
    )
    axes.add_patch(box)
    middle = bottom + BOX_INCHES / 2
    name = stage.name if len(stage.name) <= 26 else f"{stage.name[:25]}…"
    parts = (
        (MARGIN_INCHES + 0.15, name, "left"),
        (MARGIN_INCHES + 0.5 * width, shape_text(stage.output_shape), "center"),
        (MARGIN_INCHES + width - 0.15, f"{stage.parameters:,} weights", "right"),
    )
    for x, text, side in parts:
        axes.text(x, middle, text, ha=side, va="center", fontsize=9)


def _draw_arrow(axes: Any, start: float, end: float) -> None:
    axes.annotate(
        "",
        (WIDTH_INCHES / 2, end),
        (WIDTH_INCHES / 2, start),
        arrowprops={"arrowstyle": "-|>", "color": EDGE, "shrinkA": 0, "shrinkB": 0},
    )


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as people read it: 48 x 48 x 16."""
    return " x ".join(map(str, shape)) or "not called"
