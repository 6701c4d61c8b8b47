"""The bytes of an untrusted file -> its pixels of 8 bits a sample, or why it is refused.

`canonicalise` makes the canonical image of them.
"""

import io
import warnings
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from contracts.images import segments
from contracts.images.colours import profile_of
from contracts.images.reading import DEFAULT_READING, ImageReading
from contracts.images.refusal import TIFF_MAGIC, refusing, require_size, require_whole_png
from contracts.images.tiff_values import tiff_values
from contracts.images.values import Values, is_deep, values_of

if TYPE_CHECKING:
    from PIL import Image

# All that Pillow reads by itself, the usual ones first; its JPEG reader takes the multi-picture
# files of phones (MPO) as well. Left out are EPS, which runs Ghostscript, and formats of which
# Pillow reads no pixels (BUFR, GRIB, HDF5, MPEG, WMF).
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"),
    *("AVIF", "JPEG2000", "ICO", "PPM", "PCX", "QOI"),
    *("BLP", "CUR", "DCX", "DDS", "DIB", "FITS", "FLI", "FTEX", "GBR", "ICNS", "IM", "IMT"),
    *("IPTC", "MCIDAS", "MSP", "PCD", "PIXAR", "PSD", "SGI", "SPIDER", "SUN", "TGA"),
    *("XBM", "XPM", "XVTHUMB"),
)
# Read by pillow-heif, which is imported only for files that are of its kind.
_HEIF = "HEIF"
# Keys of `Image.info` that may hold an orientation, and its EXIF tag. TIFF has it in its own tags.
_MAY_TURN = ("exif", "xmp", "Raw profile type exif", "XML:com.adobe.xmp")
_ORIENTATION = 0x0112
# Formats whose header has the number of pictures, and formats that are searched for them.
_COUNTED = ("PNG", "WEBP", "AVIF", "HEIF")
_SEARCHED = ("GIF", "TIFF", "MPO", "FLI", "DCX", "IM", "PSD")


def deep_values(raw: bytes, reading: ImageReading = DEFAULT_READING) -> Values | None:
    """Return the values of an image of more than 8 bits a sample; None of any other.

    Of any other one only the header is read.

    Raises:
      UnreadableImage: as `read_source` does, but not for values out of range.
    """
    with refusing(raw, reading):
        image = _opened(raw, reading)
        return _values_of_tiff(raw, reading) if image is None else _values(image, raw, reading)


def prepare() -> None:
    """Import what reading the usual images takes, so that the first one does not wait for it."""
    import numpy  # noqa: F401
    from PIL import Image

    Image.preinit()
    _prepare_pillow()


@cache
def _prepare_pillow() -> None:
    """Silence Pillow's warnings, once: what matters in them is refused here by name."""
    warnings.filterwarnings("ignore", module=r"PIL(\.|$)")


@cache
def _prepare_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)


class SourceImage(NamedTuple):
    """A decoded image before its conversion; its values have 8 bits.

    `format` is Pillow's name of it, `channels` its number of bands, `orientation` EXIF's from 1 to
    8. `note` is a half sentence on what was left out.
    """

    image: "Image.Image"
    format: str
    channels: int
    orientation: int
    note: str | None = None


def read_source(raw: bytes, reading: ImageReading) -> SourceImage:
    """Return the image with all its pixels read, and what else the file says of it.

    Raises:
      UnreadableImage: the file is no image, is damaged, or goes beyond the limits of `reading`.
    """
    with refusing(raw, reading):
        image = _opened(raw, reading)
        if image is None:
            values = _values_of_tiff(raw, reading)
            pixels = values.scaled(reading.range_of(values.kind))
            return SourceImage(pixels, "TIFF", len(pixels.getbands()), values.orientation)
        pixels = _pixels(image, raw, reading)
    return SourceImage(
        *(pixels, image.format or "", len(image.getbands())),
        *(_orientation(image), _note(image, raw, reading)),
    )


def _pixels(image: "Image.Image", raw: bytes, reading: ImageReading) -> "Image.Image":
    """Load an opened image; return it, or of more than 8 bits one with its values scaled."""
    values = _values(image, raw, reading)
    if values is None:
        image.load()
        require_size(*image.size, reading)  # some formats know their size only now
    if image.format == "PNG":
        require_whole_png(raw)
        _scale_transparent_grey(image, raw)
    if values is None:
        return image
    scaled = values.scaled(reading.range_of(values.kind))
    scaled.info = {"icc_profile": profile_of(image)}
    return scaled


def _scale_transparent_grey(image: "Image.Image", raw: bytes) -> None:
    """Scale the transparent value of a grey PNG of 2 or 4 bits: Pillow scales only the pixels."""
    largest = 2 ** segments.png_bits(raw) - 1
    if image.mode == "L" and largest < 255 and "transparency" in image.info:
        image.info["transparency"] = (image.info["transparency"] & largest) * (255 // largest)


def _opened(raw: bytes, reading: ImageReading) -> "Image.Image | None":
    """Return the image with its header read; None of a TIFF that Pillow does not know."""
    from PIL import UnidentifiedImageError

    try:
        image = _open(raw, reading)
    except UnidentifiedImageError:
        if raw.startswith(TIFF_MAGIC):
            return None
        raise
    require_size(*image.size, reading)
    return image


def _open(raw: bytes, reading: ImageReading) -> "Image.Image":
    """Return the image with its header read; the type is taken from the content alone."""
    from PIL import Image, JpegImagePlugin

    _prepare_pillow()
    if raw.startswith(segments.JPEG):  # most files are: no other format has to be tried
        return JpegImagePlugin.jpeg_factory(io.BytesIO(raw))
    formats: tuple[str, ...] = FORMATS
    if raw[4:8] == b"ftyp":
        _prepare_heif()
        formats = ("AVIF", _HEIF)
    Image.MAX_IMAGE_PIXELS = reading.max_pixels  # where a format opens pictures inside its own
    return Image.open(io.BytesIO(raw), formats=formats)


def _values(image: "Image.Image", raw: bytes, reading: ImageReading) -> Values | None:
    """Load an image of more than 8 bits a sample and return its values; None of any other."""
    return values_of(image, lambda: _open(raw, reading)) if is_deep(image) else None


def _values_of_tiff(raw: bytes, reading: ImageReading) -> Values:
    return tiff_values(raw, lambda width, height: require_size(width, height, reading))


def _note(image: "Image.Image", raw: bytes, reading: ImageReading) -> str | None:
    """Say that a file holds several pictures, of which the first one is taken."""
    try:
        if image.format in _SEARCHED:
            image = _open(raw, reading)  # the search would move the one that is decoded
        elif image.format not in _COUNTED:
            return None
        frames = getattr(image, "n_frames", 1)
    except Exception:  # damaged behind its first picture, which is good
        return "the first of several frames; others are damaged"
    return f"the first of {frames} frames" if frames > 1 else None


def _orientation(image: "Image.Image") -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) where there is none to be read.

    Called after decoding: the pixels of a file with a damaged EXIF block are still good.
    """
    if not (hasattr(image, "tag_v2") or any(key in image.info for key in _MAY_TURN)):
        return 1
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
