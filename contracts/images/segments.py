"""Checks of JPEG and PNG bytes that Pillow leaves out and other decoders make."""

import re
import zlib

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"

_PNG_GREY, _PNG_RGB = 0, 2
_EIGHT_BITS = 8
# Baseline, extended and progressive with Huffman coding; decoders differ on all others.
_COMMON_FRAMES = (0xC0, 0xC1, 0xC2)
_END = 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # two are tables, one is reserved
# In coded pixels 0xFF is followed by 0, by another 0xFF (fill bytes), or by a restart marker.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


def png_fault(raw: bytes) -> tuple[bool, str] | None:
    """Return whether a PNG is only cut off, and what is wrong with it; None of a good one.

    Pillow does not check the checksums of the pixel chunks, nor that the end is there.
    Source: PNG specification, third edition, sections 5.3 and 5.5.
    """
    view, position = memoryview(raw), len(PNG)
    while position + 12 <= len(raw):
        end = position + 12 + int.from_bytes(raw[position : position + 4], "big")
        if end > len(raw):
            break
        checksum = int.from_bytes(raw[end - 4 : end], "big")
        if zlib.crc32(view[position + 4 : end - 4]) != checksum:
            name = raw[position + 4 : position + 8].decode("ascii", "replace")
            return False, f"wrong checksum of the PNG chunk {name}"
        if raw.startswith(b"IEND", position + 4):
            return None
        position = end
    return True, "the PNG has no end chunk"


def png_bits(raw: bytes) -> int:
    """Return the bits of a sample, as the header of a PNG has them."""
    return raw[24]


def is_plain_png(raw: bytes) -> bool:
    """Tell whether the header of a PNG says 8 bits of grey or RGB."""
    return png_bits(raw) == _EIGHT_BITS and raw[25] in (_PNG_GREY, _PNG_RGB)


def is_common_jpeg(raw: bytes) -> bool:
    """Tell whether the segments of a JPEG are of the usual kinds and whole, up to its end marker.

    Pillow stops reading at the last row of pixels; TensorFlow reads on to the end marker and
    refuses the file if damage hides it.
    """
    segments = _segments(raw)
    frames = [marker for marker, _ in segments if marker in _FRAMES]
    is_whole = bool(segments) and segments[-1][0] == _END
    return is_whole and len(frames) == 1 and frames[0] in _COMMON_FRAMES


def jpeg_bits(raw: bytes) -> int | None:
    """Return the bits of a sample, as the first frame of a JPEG has them; None without frames."""
    starts = [start for marker, start in _segments(raw) if marker in _FRAMES]
    return raw[starts[0] + 2] if starts and starts[0] + 2 < len(raw) else None


def _segments(raw: bytes) -> list[tuple[int, int]]:
    """Return marker and start (its length comes first) of every segment, the end marker included.

    Source: ITU-T T.81, B.1.1 and table B.1.
    """
    found = []
    position, search = len(JPEG) - 1, _MARKER.search
    while match := search(raw, position):
        start = match.end()
        marker = raw[start - 1]
        found.append((marker, start))
        if marker == _END:
            break
        position = start + (raw[start] << 8 | raw[start + 1]) if start + 1 < len(raw) else start
    return found
