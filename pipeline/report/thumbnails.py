"""Small pictures, as parts of a page."""

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

THUMBNAIL_PX = 128
_QUALITY = 80


def data_uri(image: "Image.Image", most_px: tuple[int, int] = (THUMBNAIL_PX, THUMBNAIL_PX)) -> str:
    """Return an image as a data URI with a JPEG in it; a larger image is shrunk."""
    image = image.convert("RGB")
    image.thumbnail(most_px)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
