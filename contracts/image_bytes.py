"""The one reading of an untrusted image: whatever came in, an upright 8-bit RGB image goes out.

Ingestion and the server both call `canonicalise`, so that training and serving see the same
pixels. Colour profiles and gamma are left alone: TensorFlow, which reads the result, ignores
them as well.
"""

import io
import re
import warnings
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from contracts import image_pixels

if TYPE_CHECKING:
    from PIL import Image

Reason = Literal[
    "empty_file",
    "unrecognised_format",
    "truncated",
    "corrupt",
    "too_many_bytes",
    "too_many_pixels",
    "unsupported_pixels",
    "out_of_memory",
]

# Pillow reads more, some of it through other programs (EPS through Ghostscript). Its JPEG
# reader takes the multi-picture files of phones (MPO) as well. The usual ones stand first.
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"),
    *("AVIF", "JPEG2000", "ICO", "PPM", "PCX", "QOI"),
)
_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_MAGIC = (_JPEG, _PNG[:4], b"GIF8", b"II*\0", b"MM\0*")
_PNG_GREY, _PNG_RGB = 0, 2
# Baseline, extended and progressive with Huffman coding; decoders differ on all others.
_COMMON_JPEG_FRAMES = (0xC0, 0xC1, 0xC2)
_JPEG_END = 0xD9
# Among coded pixels 0xFF is followed by 0, by itself as filling, or by a restart marker's byte.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


@dataclass(frozen=True)
class ImageLimits:
    """What is refused unread. `max_pixels` is the size at which Pillow warns of a bomb."""

    max_pixels: int = 89_478_485
    max_bytes: int = 1 << 30


DEFAULT_LIMITS = ImageLimits()


class UnreadableImage(ValueError):
    """An image that is refused: `reason` is a stable name, `detail` says more of this one."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


@dataclass(frozen=True)
class CanonicalImage:
    """An image as everything after ingestion sees it.

    `encoded` is a JPEG or PNG that every decoder reads as upright 8-bit pixels, RGB or grey;
    `tf.io.decode_image(encoded, channels=3)` gives uint8 [height, width, 3]. `source_format`
    is Pillow's name of what came in and `source_channels` its number of bands. Mean and
    standard deviation of the brightness are of the ITU-R 601 luma in [0, 1], taken from an
    even grid of at most 128 by 128 pixels.
    """

    encoded: bytes
    width: int
    height: int
    source_format: str
    source_channels: int
    brightness_mean: float
    brightness_std: float


def canonicalise(raw: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> CanonicalImage:
    """Return the image that `raw` is, decoded whole, or raise UnreadableImage and nothing else.

    JPEG and PNG files that are canonical already pass through byte for byte. All others become
    PNG without loss of 8-bit pixels: turned upright by their EXIF orientation, transparency
    laid on white, 16-bit and floating-point values scaled, the first frame of several.

    Raises:
      UnreadableImage: `raw` is no image, is damaged, or goes beyond `limits`.
    """
    image = _decode(raw, limits)
    source_format, source_channels = image.format or "", len(image.getbands())
    orientation = _orientation(image)
    passes = orientation == 1 and _is_canonical(image, raw)
    try:
        if not passes:
            image = image_pixels.upright(image_pixels.eight_bit(image), orientation)
        encoded = raw if passes else _encode(image)
        mean, std = image_pixels.brightness(image)
    except ValueError as error:
        raise UnreadableImage("unsupported_pixels", str(error)) from error
    except MemoryError as error:
        raise UnreadableImage("out_of_memory", "while converting it") from error
    return CanonicalImage(
        encoded, image.width, image.height, source_format, source_channels, mean, std
    )


@cache
def _prepare_pillow() -> None:
    """Silence Pillow's warnings, once: what matters in them is refused here by name."""
    warnings.filterwarnings("ignore", module=r"PIL(\.|$)")


def _decode(raw: bytes, limits: ImageLimits) -> "Image.Image":
    """Return the image with all its pixels read.

    Damaged files make Pillow raise much more than OSError (ValueError, IndexError, SyntaxError,
    struct.error, TypeError, OverflowError, ...): all of it means that the file is refused.
    """
    from PIL import Image

    _prepare_pillow()
    if not raw:
        raise UnreadableImage("empty_file", "0 bytes")
    if len(raw) > limits.max_bytes:
        raise UnreadableImage("too_many_bytes", f"{len(raw)}, limit {limits.max_bytes}")
    try:
        image = Image.open(io.BytesIO(raw), formats=FORMATS)
        width, height = image.size
        if width * height > limits.max_pixels:
            detail = f"{width} x {height}, limit {limits.max_pixels}"
            raise UnreadableImage("too_many_pixels", detail)
        image.load()
        if image.format == "PNG":
            _check_png(raw)
    except UnreadableImage:
        raise
    except Exception as error:
        raise _refusal(raw, error) from error
    return image


def _refusal(raw: bytes, error: Exception) -> UnreadableImage:
    """Name what Pillow raised on `raw`."""
    from PIL import Image, UnidentifiedImageError

    detail = str(error) or type(error).__name__
    if isinstance(error, Image.DecompressionBombError):
        return UnreadableImage("too_many_pixels", detail)
    if isinstance(error, MemoryError):
        return UnreadableImage("out_of_memory", "while decoding it")
    if isinstance(error, UnidentifiedImageError):
        if raw.startswith(_MAGIC):
            return UnreadableImage("corrupt", "the header is damaged")
        if raw[4:8] == b"ftyp":
            return UnreadableImage("unrecognised_format", "HEIC or a video; save it as JPEG")
        return UnreadableImage("unrecognised_format", f"begins with {raw[:8]!r}")
    if "truncated" in detail.lower() or isinstance(error, EOFError):
        return UnreadableImage("truncated", detail)
    return UnreadableImage("corrupt", detail)


def _check_png(raw: bytes) -> None:
    """Check what Pillow leaves out: the checksums of the pixel chunks, and that the end is there.

    Source: PNG specification, third edition, sections 5.3 and 5.5.
    """
    view, position = memoryview(raw), len(_PNG)
    while position + 12 <= len(raw):
        end = position + 12 + int.from_bytes(raw[position : position + 4], "big")
        if end > len(raw):
            break
        checksum = int.from_bytes(raw[end - 4 : end], "big")
        if zlib.crc32(view[position + 4 : end - 4]) != checksum:
            name = raw[position + 4 : position + 8].decode("ascii", "replace")
            raise UnreadableImage("corrupt", f"wrong checksum of the PNG chunk {name}")
        if raw.startswith(b"IEND", position + 4):
            return
        position = end
    raise UnreadableImage("truncated", "the PNG has no end chunk")


def _orientation(image: "Image.Image") -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) where there is none to be read.

    Called after decoding: the pixels of a file with a damaged EXIF block are still good.
    """
    from PIL import ExifTags

    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _is_canonical(image: "Image.Image", raw: bytes) -> bool:
    """Tell whether any decoder reads `raw` as Pillow did: 8-bit grey or RGB, opaque, one frame."""
    if image.format in ("JPEG", "MPO"):
        return image.mode in ("L", "RGB") and _is_common_jpeg(raw)
    if image.format == "PNG":
        bit_depth, colour_type = raw[24], raw[25]
        is_plain = bit_depth == 8 and colour_type in (_PNG_GREY, _PNG_RGB)
        is_still = getattr(image, "n_frames", 1) == 1
        return is_plain and is_still and "transparency" not in image.info
    return False


def _is_common_jpeg(raw: bytes) -> bool:
    """Tell whether the segments of a JPEG are of the usual kinds and whole, up to its end marker.

    Pillow stops reading at the last row of pixels; TensorFlow reads on to the end marker and
    refuses the file if damage hides it.

    Source: ITU-T T.81, B.1.1 and table B.1.
    """
    frames: list[int] = []
    position = len(_JPEG) - 1
    while found := _JPEG_MARKER.search(raw, position):
        marker, start = raw[found.start() + 1], found.end()
        if marker == _JPEG_END:
            return len(frames) == 1 and frames[0] in _COMMON_JPEG_FRAMES
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frames.append(marker)
        position = start + int.from_bytes(raw[start : start + 2], "big")
    return False


def _encode(pixels: "Image.Image") -> bytes:
    """Return `pixels` as a PNG that holds nothing else."""
    pixels.info = {}  # or Pillow would copy colour profiles and transparency
    buffer = io.BytesIO()
    pixels.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
