"""TIFF files that Pillow does not read: floating-point RGB is read, others are described."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from contracts.images.values import Values

if TYPE_CHECKING:
    import numpy as np

_WHITE: Final = 255.0
_ORIENTATION: Final = 274
_NUMBERS: Final = {"u": "unsigned integers", "i": "signed integers", "f": "floating-point numbers"}
_RGB_BANDS: Final = (3, 4)


class UnsupportedTiff(ValueError):
    """A valid file whose pixels cannot be read as grey or RGB."""


def tiff_values(raw: bytes, require_size: Callable[[int, int], None]) -> Values:
    """Return the values of a TIFF, by tifffile.

    Args:
      raw: the file.
      require_size: is called with width and height before pixels are read.

    Raises:
      UnsupportedTiff: it is neither grey nor RGB, or compressed in a way that is not known here.
      Exception: whatever tifffile raises of a damaged file.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(raw)) as file:
        page: Any = file.pages[0]
        require_size(page.imagewidth, page.imagelength)
        is_rgb = page.photometric == tifffile.PHOTOMETRIC.RGB and page.samplesperpixel in _RGB_BANDS
        is_grey = page.photometric == tifffile.PHOTOMETRIC.MINISBLACK and page.samplesperpixel == 1
        if page.dtype is None or page.dtype.kind not in _NUMBERS or not (is_rgb or is_grey):
            raise UnsupportedTiff(_described(page))
        orientation = int(page.tags.valueof(_ORIENTATION, default=1))
        return Values(*_samples(page), orientation)


def _samples(page: Any) -> tuple[Any, Any]:
    """Return samples and opacity as `Values` has them.

    Raises:
      UnsupportedTiff: tifffile needs another package for the compression.
    """
    import numpy as np
    import tifffile

    try:
        samples = page.asarray()
    except (KeyError, ValueError) as error:
        if "imagecodecs" not in str(error):
            raise
        what = f"{_described(page)}, compressed by {page.compression.name}"
        raise UnsupportedTiff(what) from error
    if page.samplesperpixel == 1:
        return samples, None
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        samples = np.moveaxis(samples, 0, -1)
    opacity = samples[..., 3] * (_WHITE / _largest_value(page.dtype)) if page.extrasamples else None
    return samples[..., :3], opacity


def _described(page: Any) -> str:
    """Return how many bands of which numbers there are: "13 bands of 16-bit unsigned integers"."""
    kind = page.dtype.kind if page.dtype is not None else ""
    bands = f"{page.samplesperpixel} band{'s' if page.samplesperpixel > 1 else ''}"
    return f"{bands} of {page.bitspersample}-bit {_NUMBERS.get(kind, 'numbers')}"


def _largest_value(kind: "np.dtype[Any]") -> float:
    import numpy as np

    return 1.0 if kind.kind == "f" else float(np.iinfo(kind).max)
