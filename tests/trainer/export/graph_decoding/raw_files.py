"""Raw JPEG and PNG files, with metadata and kinds of pixels that Pillow does not write."""

import struct
import zlib

import numpy as np
from PIL import Image

ORIENTATION = 0x0112
SHORT, LONG = 3, 4
XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
XMP_CHUNK = b"XML:com.adobe.xmp\0\0\0\0\0"
# Colour types of PNG and the samples of a pixel.
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}


def picture(height: int = 18, width: int = 28, seed: int = 0) -> Image.Image:
    """Return smooth noise, which looks different from every side."""
    small = np.random.default_rng(seed).integers(0, 256, (9, 14, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height))


def entry(
    order: str, value: int, tag: int = ORIENTATION, kind: int = SHORT, count: int = 1
) -> bytes:
    """Return an entry of a TIFF directory; `value` is its value, or the place of it."""
    is_short = kind == SHORT and count <= 1
    content = struct.pack(order + "HH", value, 0) if is_short else struct.pack(order + "L", value)
    return struct.pack(order + "HHL", tag, kind, count) + content


def exif(*entries: bytes, order: str = "<", tail: bytes = b"") -> bytes:
    """Return an EXIF block with these entries and what comes after them."""
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8)
    number = struct.pack(order + "H", len(entries))
    return header + number + b"".join(entries) + struct.pack(order + "L", 0) + tail


def oriented(value: int) -> bytes:
    """Return an EXIF block that says only the orientation."""
    return exif(entry("<", value))


def segment(content: bytes, marker: int = 0xE1) -> bytes:
    """Return a segment of a JPEG; 0xE1 is APP1, where metadata is."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def exif_segment(block: bytes) -> bytes:
    """Return the APP1 segment of an EXIF block."""
    return segment(b"Exif\0\0" + block)


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Return a JPEG with these bytes behind its start marker."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def with_chunks(png: bytes, *chunks: bytes, at_end: bool = False) -> bytes:
    """Return a PNG with these chunks behind its header, or before its end."""
    place = len(png) - 12 if at_end else 33
    return png[:place] + b"".join(chunks) + png[place:]


def png_of(bits: int, colour_type: int, seed: int = 0, chunks: bytes = b"") -> bytes:
    """Return a PNG of random samples, 11 wide and 7 high.

    The first pixel is 0. A palette has as many colours as its samples have values.
    """
    generator = np.random.default_rng(seed)
    samples = generator.integers(0, 2**bits, (7, 11 * SAMPLES[colour_type]), dtype=np.uint16)
    samples[0, : SAMPLES[colour_type]] = 0
    if bits == 16:
        rows = samples.astype(">u2").view(np.uint8)
    else:
        places = np.unpackbits(samples.astype(np.uint8)[..., None], axis=-1)[..., -bits:]
        rows = np.packbits(places.reshape(len(samples), -1), axis=-1)
    header = struct.pack(">IIBBBBB", 11, 7, bits, colour_type, 0, 0, 0)
    palette = chunk(b"PLTE", generator.bytes(3 * 2**bits)) if colour_type == PALETTE else b""
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + palette + chunks + pixels + chunk(b"IEND", b"")
