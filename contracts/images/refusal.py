"""Why an untrusted image is refused, by a stable name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from contracts.images import segments
from contracts.images.reading import ImageReading
from contracts.images.tiff_values import UnsupportedTiff
from contracts.images.values import ValuesOutOfRange

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

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MAGIC = (segments.JPEG, segments.PNG[:4], b"GIF8", *TIFF_MAGIC)
_USUAL_BITS = 8


class UnreadableImage(ValueError):
    """An image that is refused: `reason` is a stable name, `detail` says more of this one."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


@contextmanager
def refusing(raw: bytes, reading: ImageReading) -> Iterator[None]:
    """Turn every error of the block that decodes `raw` into UnreadableImage.

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


def require_whole_png(raw: bytes) -> None:
    """Raise UnreadableImage where a PNG has damage that Pillow does not check."""
    fault = segments.png_fault(raw)
    if fault is not None:
        is_truncated, detail = fault
        raise UnreadableImage("truncated" if is_truncated else "corrupt", detail)


def require_size(width: int, height: int, reading: ImageReading) -> None:
    """Raise UnreadableImage where an image goes beyond the limits of pixels or aspect."""
    if width * height > reading.max_pixels:
        detail = f"{width} x {height}, limit {reading.max_pixels}"
        raise UnreadableImage("too_many_pixels", detail)
    if max(width, height) > reading.max_aspect * min(width, height):
        raise UnreadableImage("too_elongated", f"{width} x {height}, limit {reading.max_aspect:g}")


def _refusal(raw: bytes, error: Exception) -> UnreadableImage:
    """Return the refusal that an error of Pillow on `raw` means."""
    from PIL import Image, UnidentifiedImageError

    detail = error_text(error)
    if isinstance(error, Image.DecompressionBombError):
        return UnreadableImage("too_many_pixels", detail)
    if isinstance(error, MemoryError):
        return UnreadableImage("out_of_memory", "while decoding it")
    if isinstance(error, ValuesOutOfRange):
        return UnreadableImage("values_out_of_range", detail)
    if isinstance(error, UnsupportedTiff):
        return UnreadableImage("unsupported_pixels", detail)
    if raw.startswith(segments.JPEG):
        bits = segments.jpeg_bits(raw)
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


def error_text(error: Exception) -> str:
    """Return what an error says, or its type where it says nothing."""
    return str(error) or type(error).__name__
