"""The one reading of an untrusted image: whatever came in, an upright 8-bit sRGB image goes out.

Ingestion and the server both call `canonicalise`, so that training and serving see the same
pixels.
"""

import io
from typing import TYPE_CHECKING, NamedTuple

from contracts.images import pixels, segments
from contracts.images.colours import is_srgb, profile_of
from contracts.images.reading import DEFAULT_READING, ImageReading
from contracts.images.refusal import UnreadableImage, error_text
from contracts.images.source import read_source

if TYPE_CHECKING:
    from PIL import Image


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
    source = read_source(raw, reading)
    try:
        image = source.image
        is_kept = source.orientation == 1 and _is_canonical(image, raw)
        if not is_kept:
            eight_bit = pixels.eight_bit(image, reading.background)
            image = pixels.upright(eight_bit, source.orientation)
        encoded = raw if is_kept else _encode(image)
        mean, std = pixels.brightness(image)
    except MemoryError as error:
        raise UnreadableImage("out_of_memory", "while converting it") from error
    except Exception as error:
        raise UnreadableImage("unsupported_pixels", error_text(error)) from error
    return CanonicalImage(
        *(encoded, image.width, image.height, source.format, source.channels),
        *(mean, std, source.note),
    )


def _is_canonical(image: "Image.Image", raw: bytes) -> bool:
    """Tell whether any decoder reads `raw` as we do: 8-bit sRGB or grey, opaque, one frame."""
    if not is_srgb(profile_of(image), image.mode):
        return False
    if image.format in ("JPEG", "MPO"):
        return image.mode in ("L", "RGB") and segments.is_common_jpeg(raw)
    if image.format == "PNG":
        is_still = getattr(image, "n_frames", 1) == 1
        is_opaque = "transparency" not in image.info
        return segments.is_plain_png(raw) and is_still and is_opaque
    return False


def _encode(pixels: "Image.Image") -> bytes:
    """Return `pixels` as a PNG that holds nothing else."""
    pixels.info = {}  # or Pillow would copy colour profiles and transparency
    buffer = io.BytesIO()
    pixels.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
