"""Pictures of augmentation: each original beside its augmented versions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from contracts.system.atomic_files import whole_file

Array = npt.NDArray[Any]

_TILE_PX: Final = 96
_GAP_PX, _MARGIN_PX, _TITLE_PX, _LINE_PX = 4, 16, 22, 15
_APART_PX: Final = 14  # between the original and the results
_PAPER, _INK, _SOFT = (255, 255, 255), (31, 35, 40), (101, 109, 118)
_TITLE_SIZE, _TEXT_SIZE = 16, 11


def draw_operation(path: Path, title: str, rows: Sequence[tuple[str, Array, Array]]) -> None:
    """Write the picture of an operation: a line for each image, the original first.

    Args:
      path: of the PNG; it appears whole or not at all.
      title: the text above the picture.
      rows: label, original [size, size, 3] and results [count, size, size, 3], 0..255.
    """
    most = max(len(results) for _, _, results in rows)
    left = _MARGIN_PX + _label_width([label for label, *_ in rows])
    first = left + _TILE_PX + _APART_PX
    width = first + most * (_TILE_PX + _GAP_PX) - _GAP_PX + _MARGIN_PX
    top = _MARGIN_PX + _TITLE_PX + _LINE_PX + _GAP_PX
    height = top + len(rows) * (_TILE_PX + _GAP_PX) - _GAP_PX + _MARGIN_PX
    canvas, draw = _canvas(width, height, title)
    heading = _MARGIN_PX + _TITLE_PX
    draw.text((left, heading), "before", _SOFT, _font(_TEXT_SIZE))
    draw.text((first, heading), "after", _SOFT, _font(_TEXT_SIZE))
    for number, (label, original, results) in enumerate(rows):
        y = top + number * (_TILE_PX + _GAP_PX)
        middle = y + _TILE_PX // 2
        draw.text((left - _GAP_PX * 2, middle), label, _INK, _font(_TEXT_SIZE), anchor="rm")
        canvas.paste(_tile(original), (left, y))
        for place, result in enumerate(results):
            canvas.paste(_tile(result), (first + place * (_TILE_PX + _GAP_PX), y))
    _save(canvas, path)


def draw_batch(
    path: Path, title: str, before: tuple[Array, Array], after: tuple[Array, Array], labels: Any
) -> None:
    """Write the picture of a batch: above the originals, below the network's input with its labels.

    Args:
      path: of the PNG; it appears whole or not at all.
      title: the text above the picture.
      before: pixels [images, size, size, 3] in 0..255 and targets [images, classes].
      after: the same after augmentation.
      labels: the classes.
    """
    columns = 8
    lines = -(-len(before[0]) // columns)
    caption_px = 2 * _LINE_PX
    panel_px = _LINE_PX + _GAP_PX + lines * (_TILE_PX + caption_px + _GAP_PX)
    width = 2 * _MARGIN_PX + columns * (_TILE_PX + _GAP_PX) - _GAP_PX
    height = 2 * _MARGIN_PX + _TITLE_PX + 2 * panel_px + _APART_PX
    canvas, draw = _canvas(width, height, title)
    y = _MARGIN_PX + _TITLE_PX
    for name, (pixels, targets) in (("before", before), ("after", after)):
        draw.text((_MARGIN_PX, y), name, _SOFT, _font(_TEXT_SIZE))
        for number, (image, target) in enumerate(zip(pixels, targets, strict=True)):
            line, column = divmod(number, columns)
            x = _MARGIN_PX + column * (_TILE_PX + _GAP_PX)
            at = y + _LINE_PX + _GAP_PX + line * (_TILE_PX + caption_px + _GAP_PX)
            canvas.paste(_tile(image), (x, at))
            for row, text in enumerate(_captions(target, labels)):
                place = (x, at + _TILE_PX + 1 + row * _LINE_PX)
                draw.text(place, _fitting(text, _TILE_PX), _INK, _font(_TEXT_SIZE))
        y += panel_px + _APART_PX
    _save(canvas, path)


def _captions(target: Array, labels: Sequence[str]) -> list[str]:
    """Return the caption of a target: one line, two lines for a mixture of two classes."""
    order = [index for index in np.argsort(-target)[:2] if target[index] >= 0.005]
    if len(order) == 1:
        return [labels[order[0]]]
    return [f"{target[index]:.0%} {labels[index]}" for index in order]


def _canvas(width: int, height: int, title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    canvas = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.text((_MARGIN_PX, _MARGIN_PX - 4), title, _INK, _font(_TITLE_SIZE))
    return canvas, draw


def _tile(image: Array) -> Image.Image:
    """Return an image at the size of a tile; small ones are enlarged by a whole number."""
    picture = Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    is_small = picture.width < _TILE_PX
    way = Image.Resampling.NEAREST if is_small else Image.Resampling.LANCZOS
    return picture.resize((_TILE_PX, _TILE_PX), way)


def _label_width(labels: Sequence[str]) -> int:
    widest = max(_font(_TEXT_SIZE).getlength(label) for label in labels)
    return int(widest) + 2 * _GAP_PX


def _fitting(text: str, width_px: int) -> str:
    font = _font(_TEXT_SIZE)
    if font.getlength(text) <= width_px:
        return text
    while text and font.getlength(f"{text}…") > width_px:
        text = text[:-1]
    return f"{text}…"


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _save(canvas: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        canvas.save(partial.path, "PNG", compress_level=4)
