"""The pictures of what a model has learned, as parts of a page."""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.artifacts.training_record import PICTURES_FILE, PICTURES_FOLDER

_QUALITY = 75
# The page draws these curves itself, for a dark background too.
CURVES = "learning_curves"


@dataclass(frozen=True)
class InlinedPicture:
    """A picture whose bytes are in the page."""

    title: str
    caption: str
    address: str  # data URI
    width_px: int


@dataclass(frozen=True)
class ModelPictures:
    """The pictures of a model, and those that could not be drawn."""

    curves_caption: str
    pictures: list[InlinedPicture]
    left_out: list[Mapping[str, str]]  # title and reason


def read_model_pictures(model_run: Path) -> ModelPictures | None:
    """Return the pictures in a ModelRun artifact; None where none were drawn."""
    folder = model_run / PICTURES_FOLDER
    if not (folder / PICTURES_FILE).is_file():
        return None
    content = json.loads((folder / PICTURES_FILE).read_text(encoding="utf-8"))
    pictures = {one["name"]: one for one in content["pictures"]}
    curves = pictures.pop(CURVES, {"caption": ""})
    inlined = [_inlined(folder, one) for one in pictures.values()]
    return ModelPictures(curves["caption"], inlined, content["left_out"])


def _inlined(folder: Path, picture: Mapping[str, str]) -> InlinedPicture:
    """Return a PNG as WebP, which is a fraction of its size."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(folder / picture["file"]) as image:
        image.convert("RGB").save(buffer, "WEBP", quality=_QUALITY)
        width_px = image.width
    address = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
    return InlinedPicture(picture["title"], picture["caption"], address, width_px)
