"""Decoded pixels of 8 bits, of any kind -> upright 8-bit grey or RGB, and their brightness."""

from functools import cache
from typing import TYPE_CHECKING, Any

from contracts.images.colours import profile_of, to_srgb

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_GREY_MODES = ("1", "L", "LA", "La")
_BRIGHTNESS_SIDE_PX = 128


def eight_bit(image: "Image.Image", background: str) -> "Image.Image":
    """Return `image` as grey ("L") or RGB in sRGB's colours, transparency laid on `background`.

    Raises:
      ValueError: Pillow has no conversion for pixels of this kind.
    """
    from PIL import Image

    profile = profile_of(image)
    if not image.has_transparency_data:
        return to_srgb(_opaque(image), profile)
    layer = image.convert("LA" if image.mode in _GREY_MODES else "RGBA")
    canvas = Image.new("RGB", image.size, background)
    canvas.paste(to_srgb(_opaque(layer), profile).convert("RGB"), mask=layer.getchannel("A"))
    return canvas


def _opaque(image: "Image.Image") -> "Image.Image":
    """Return the pixels without their transparency, in a mode that a colour profile can be of."""
    if image.mode in _GREY_MODES:
        return image.convert("L")
    return image if image.mode in ("RGB", "CMYK", "LAB") else image.convert("RGB")


def upright(image: "Image.Image", orientation: int) -> "Image.Image":
    """Return `image` turned as its EXIF orientation asks. Source: CIPA DC-008, 4.6.5, tag 274."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


@cache
def _ones() -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return ones: a product with them is a sum, and faster than numpy's sum of a few numbers."""
    import numpy as np

    return np.ones(_BRIGHTNESS_SIDE_PX**2)


def brightness(image: "Image.Image") -> tuple[float, float]:
    """Return mean and standard deviation of the luma, in [0, 1] and [0, 0.5].

    Taken from a grid of at most 128 by 128 pixels: exact for smaller images. The sums are whole
    numbers far below 2**53, which floating point, the fastest to multiply, keeps exactly.
    """
    import numpy as np
    from PIL.Image import Resampling

    width, height = image.size
    size = (min(width, _BRIGHTNESS_SIDE_PX), min(height, _BRIGHTNESS_SIDE_PX))
    grid = image if size == image.size else image.resize(size, Resampling.NEAREST)
    luma = np.frombuffer(grid.convert("L").tobytes(), np.uint8).astype(np.float64)
    total = luma.size
    first, second = int(luma.dot(_ones()[:total])), int(luma.dot(luma))
    variance = (second * total - first * first) / (total * total)
    return first / total / 255, variance**0.5 / 255
