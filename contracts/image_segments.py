"""What Pillow leaves unchecked in the bytes of JPEG and PNG files, and other decoders trip over."""

import re
import zlib
from collections.abc import Iterator

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"

_PNG_GREY, _PNG_RGB = 0, 2
_EIGHT_BITS = 8
# Baseline, extended and progressive with Huffman coding; decoders differ on all others.
_COMMON_FRAMES = (0xC0, 0xC1, 0xC2)
_END = 0xD9
_NO_FRAMES = (0xC4, 0xC8, 0xCC)  # of the markers 0xC0 to 0xCF: tables and a reserved one
# Among coded pixels 0xFF is followed by 0, by itself as filling, or by a restart marker's byte.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


def png_fault(raw: bytes) -> tuple[bool, str] | None:
    """Return whether a PNG is only cut off, and what is wrong with it; None of a good one.

    Checked is what Pillow leaves out: the checksums of the pixel chunks, and that the end is
    there. Source: PNG specification, third edition, sections 5.3 and 5.5.
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


def is_plain_png(raw: bytes) -> bool:
    """Tell whether the header of a PNG says 8 bits of grey or RGB."""
    bit_depth, colour_type = raw[24], raw[25]
    return bit_depth == _EIGHT_BITS and colour_type in (_PNG_GREY, _PNG_RGB)


def is_common_jpeg(raw: bytes) -> bool:
    """Tell whether the segments of a JPEG are of the usual kinds and whole, up to its end marker.

    Pillow stops reading at the last row of pixels; TensorFlow reads on to the end marker and
    refuses the file if damage hides it.
    """
    frames: list[int] = []
    for marker, _ in _segments(raw):
        if marker == _END:
            return len(frames) == 1 and frames[0] in _COMMON_FRAMES
        if _is_frame(marker):
            frames.append(marker)
    return False


def jpeg_bits(raw: bytes) -> int | None:
    """Return the bits of a sample, as the first frame of a JPEG has them; None without frames."""
    starts = (start for marker, start in _segments(raw) if _is_frame(marker))
    start = next(starts, len(raw))
    return raw[start + 2] if start + 2 < len(raw) else None


def _is_frame(marker: int) -> bool:
    return 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES


def _segments(raw: bytes) -> Iterator[tuple[int, int]]:
    """Give the marker of every segment and where the segment begins, its length first.

    Source: ITU-T T.81, B.1.1 and table B.1.
    """
    position = len(JPEG) - 1
    while found := _MARKER.search(raw, position):
        marker, start = raw[found.start() + 1], found.end()
        yield marker, start
        position = start + int.from_bytes(raw[start : start + 2], "big")
