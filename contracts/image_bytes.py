"""The one reading of an untrusted image: whatever came in, an upright 8-bit sRGB image goes out.

Ingestion and the server both call `canonicalise`, so that training and serving see the same
pixels.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from contracts import image_pixels, image_segments
from contracts.image_colours import is_srgb, profile_of
from contracts.image_reading import DEFAULT_READING, ImageReading
from contracts.image_values import Values, ValuesOutOfRange, is_deep, values_of
from contracts.tiff_values import UnsupportedTiff, tiff_values

if TYPE_CHECKING:
    from PIL import Image

Reason = Literal[
    "empty_file",
    "unrecognised_format",
    "truncated",
    "corrupt",
    "too_many_bytes",
    "too_many_pixels",
    "too_elongated",
    "unsupported_pixels",
    "values_out_of_range",
    "out_of_memory",
]

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
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MAGIC = (image_segments.JPEG, image_segments.PNG[:4], b"GIF8", *_TIFF)
_USUAL_BITS = 8
# Where Pillow finds an orientation, but for TIFF, and the EXIF tag of it.
_MAY_TURN = ("exif", "xmp", "Raw profile type exif", "XML:com.adobe.xmp")
_ORIENTATION = 0x0112
# Whose header says how many pictures there are, and who have to be searched for them.
_COUNTED = ("PNG", "WEBP", "AVIF", "HEIF")
_SEARCHED = ("GIF", "TIFF", "MPO", "FLI", "DCX", "IM", "PSD")


class UnreadableImage(ValueError):
    """An image that is refused: `reason` is a stable name, `detail` says more of this one."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


class CanonicalImage(NamedTuple):
    """An image as everything after ingestion sees it.

    `encoded` is a JPEG or PNG that every decoder reads as upright 8-bit pixels, RGB or grey;
    `tf.io.decode_image(encoded, channels=3)` gives uint8 [height, width, 3]. `source_format`
    is Pillow's name of what came in and `source_channels` its number of bands. Mean and
    standard deviation of the brightness are of the ITU-R 601 luma in [0, 1], taken from an
    even grid of at most 128 by 128 pixels. `note` is a half sentence on what was left out.
    """

    encoded: bytes
    width: int
    height: int
    source_format: str
    source_channels: int
    brightness_mean: float
    brightness_std: float
    note: str | None = None


def canonicalise(raw: bytes, reading: ImageReading = DEFAULT_READING) -> CanonicalImage:
    """Return the image that `raw` is, decoded whole, or raise UnreadableImage and nothing else.

    JPEG and PNG files that are canonical already pass through byte for byte. All others become
    PNG: turned upright by their EXIF orientation, in the colours of sRGB, transparency laid on a
    colour, values of more than 8 bits scaled by the ranges of `reading`, the first frame of
    several.

    Raises:
      UnreadableImage: `raw` is no image, is damaged, or goes beyond the limits of `reading`.
    """
    source = _read(raw, reading)
    try:
        image = source.image
        passes = source.orientation == 1 and _is_canonical(image, raw)
        if not passes:
            pixels = image_pixels.eight_bit(image, reading.background)
            image = image_pixels.upright(pixels, source.orientation)
        encoded = raw if passes else _encode(image)
        mean, std = image_pixels.brightness(image)
    except MemoryError as error:
        raise UnreadableImage("out_of_memory", "while converting it") from error
    except Exception as error:
        raise UnreadableImage("unsupported_pixels", _said(error)) from error
    return CanonicalImage(
        *(encoded, image.width, image.height, source.format, source.channels),
        *(mean, std, source.note),
    )


def deep_values(raw: bytes, reading: ImageReading = DEFAULT_READING) -> Values | None:
    """Return the values of an image of more than 8 bits a sample; None of any other.

    Of any other one only the header is read.

    Raises:
      UnreadableImage: as `canonicalise` does, but not for values out of range.
    """
    with _refusing(raw, reading):
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


class _Source(NamedTuple):
    """An image as it came, but for its values, which have 8 bits."""

    image: "Image.Image"
    format: str
    channels: int
    orientation: int
    note: str | None = None


def _read(raw: bytes, reading: ImageReading) -> _Source:
    """Return the image with all its pixels read, and what the file says besides."""
    with _refusing(raw, reading):
        image = _opened(raw, reading)
        if image is None:
            values = _values_of_tiff(raw, reading)
            pixels = values.scaled(reading.range_of(values.kind))
            return _Source(pixels, "TIFF", len(pixels.getbands()), values.orientation)
        pixels = _pixels(image, raw, reading)
    return _Source(
        *(pixels, image.format or "", len(image.getbands())),
        *(_orientation(image), _note(image, raw, reading)),
    )


def _pixels(image: "Image.Image", raw: bytes, reading: ImageReading) -> "Image.Image":
    """Load an opened image; return it, or of more than 8 bits one with its values scaled."""
    values = _values(image, raw, reading)
    if values is None:
        image.load()
        _require_size(*image.size, reading)  # of formats that tell it only now
    if image.format == "PNG":
        _require_whole_png(raw)
    if values is None:
        return image
    scaled = values.scaled(reading.range_of(values.kind))
    scaled.info = {"icc_profile": profile_of(image)}
    return scaled


@contextmanager
def _refusing(raw: bytes, reading: ImageReading) -> Iterator[None]:
    """Let no error but UnreadableImage out of the block that decodes `raw`.

    Damaged files make Pillow raise much more than OSError (ValueError, IndexError, SyntaxError,
    struct.error, TypeError, OverflowError, ...): all of it means that the file is refused.
    """
    if not raw:
        raise UnreadableImage("empty_file", "0 bytes")
    if len(raw) > reading.max_bytes:
        raise UnreadableImage("too_many_bytes", f"{len(raw)}, limit {reading.max_bytes}")
    try:
        yield
    except UnreadableImage:
        raise
    except Exception as error:
        raise _refusal(raw, error) from error


def _opened(raw: bytes, reading: ImageReading) -> "Image.Image | None":
    """Return the image with its header read; None of a TIFF that Pillow does not know."""
    from PIL import UnidentifiedImageError

    try:
        image = _open(raw, reading)
    except UnidentifiedImageError:
        if raw.startswith(_TIFF):
            return None
        raise
    _require_size(*image.size, reading)
    return image


def _open(raw: bytes, reading: ImageReading) -> "Image.Image":
    """Return the image with its header read; the type is taken from the content alone."""
    from PIL import Image, JpegImagePlugin

    _prepare_pillow()
    if raw.startswith(image_segments.JPEG):  # what most are: nobody else has to be asked
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
    return tiff_values(raw, lambda width, height: _require_size(width, height, reading))


def _require_whole_png(raw: bytes) -> None:
    fault = image_segments.png_fault(raw)
    if fault is not None:
        is_truncated, detail = fault
        raise UnreadableImage("truncated" if is_truncated else "corrupt", detail)


def _require_size(width: int, height: int, reading: ImageReading) -> None:
    if width * height > reading.max_pixels:
        detail = f"{width} x {height}, limit {reading.max_pixels}"
        raise UnreadableImage("too_many_pixels", detail)
    if max(width, height) > reading.max_aspect * min(width, height):
        raise UnreadableImage("too_elongated", f"{width} x {height}, limit {reading.max_aspect:g}")


def _refusal(raw: bytes, error: Exception) -> UnreadableImage:
    """Name what Pillow raised on `raw`."""
    from PIL import Image, UnidentifiedImageError

    detail = _said(error)
    if isinstance(error, Image.DecompressionBombError):
        return UnreadableImage("too_many_pixels", detail)
    if isinstance(error, MemoryError):
        return UnreadableImage("out_of_memory", "while decoding it")
    if isinstance(error, ValuesOutOfRange):
        return UnreadableImage("values_out_of_range", detail)
    if isinstance(error, UnsupportedTiff):
        return UnreadableImage("unsupported_pixels", detail)
    if raw.startswith(image_segments.JPEG):
        bits = image_segments.jpeg_bits(raw)
        if bits is not None and bits != _USUAL_BITS:
            return UnreadableImage("unsupported_pixels", f"a JPEG of {bits} bits a sample")
    if isinstance(error, UnidentifiedImageError):
        if raw.startswith(_MAGIC):
            return UnreadableImage("corrupt", "the header is damaged")
        if raw[4:8] == b"ftyp":
            return UnreadableImage("unrecognised_format", "a video, or a damaged HEIC or AVIF")
        if raw.startswith(b"%!PS"):
            return UnreadableImage("unrecognised_format", "PostScript, a program; save it as PNG")
        return UnreadableImage("unrecognised_format", f"begins with {raw[:8]!r}")
    is_cut = any(word in detail.lower() for word in ("truncated", "failed to read"))
    if is_cut or isinstance(error, EOFError):
        return UnreadableImage("truncated", detail)
    return UnreadableImage("corrupt", detail)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


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


def _is_canonical(image: "Image.Image", raw: bytes) -> bool:
    """Tell whether any decoder reads `raw` as we do: 8-bit sRGB or grey, opaque, one frame."""
    if not is_srgb(profile_of(image), image.mode):
        return False
    if image.format in ("JPEG", "MPO"):
        return image.mode in ("L", "RGB") and image_segments.is_common_jpeg(raw)
    if image.format == "PNG":
        is_still = getattr(image, "n_frames", 1) == 1
        is_opaque = "transparency" not in image.info
        return image_segments.is_plain_png(raw) and is_still and is_opaque
    return False


def _encode(pixels: "Image.Image") -> bytes:
    """Return `pixels` as a PNG that holds nothing else."""
    pixels.info = {}  # or Pillow would copy colour profiles and transparency
    buffer = io.BytesIO()
    pixels.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
