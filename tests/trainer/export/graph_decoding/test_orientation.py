"""Orientation in the graph is what Pillow reads, for good, strange and damaged metadata alike."""

import itertools

import numpy as np
import pytest

from contracts.images.canonical import canonicalise
from tests.conftest import encoded
from tests.trainer.export.graph_decoding.raw_files import (
    LONG,
    SHORT,
    XMP_CHUNK,
    XMP_SEGMENT,
    chunk,
    entry,
    exif,
    exif_segment,
    oriented,
    picture,
    segment,
    with_chunks,
    with_segments,
)

# Pillow warns of each damaged block, in a file of tests too.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

JPEG, PNG = encoded(picture(), "JPEG", quality=95), encoded(picture(), "PNG")
MAKE = 0x010F
ASCII, BYTE, SIGNED_SHORT, FLOAT, LONG8 = 2, 1, 8, 11, 16


def is_turned(raw: bytes) -> bool:
    """Tell whether `canonicalise` turns a file: both could ignore it and be the same."""
    return canonicalise(raw).encoded != raw


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [SHORT, LONG])
def test_every_orientation(orientation, order, kind, same_as_canonical):
    block = exif(entry(order, orientation, kind=kind), order=order)
    for raw in (
        with_segments(JPEG, exif_segment(block)),
        with_chunks(PNG, chunk(b"eXIf", block)),
        with_chunks(PNG, chunk(b"eXIf", block), at_end=True),
    ):
        assert is_turned(raw) == (orientation != 1)
        same_as_canonical(raw)


def test_exif_behind_other_segments(same_as_canonical):
    other = [
        segment(b"JFIF\0\1\1\0\0\1\0\1\0\0", 0xE0),
        segment(b"ICC_PROFILE\0\1\2" + b"\xff\xda\xff\xd9" * 100, 0xE2),
        segment(b"Exif\0\0" + oriented(3), 0xE5),
        segment(b"http://ns.adobe.com/xmp/extension/\0" + oriented(3)),
        segment(b"a comment", 0xFE),
    ]
    raw = with_segments(JPEG, *other, exif_segment(oriented(6)), *other)
    assert is_turned(raw)
    same_as_canonical(raw)


def test_exif_between_the_tables(same_as_canonical):
    tables = JPEG.index(b"\xff\xdb")
    raw = JPEG[:tables] + exif_segment(oriented(6)) + JPEG[tables:]
    assert is_turned(raw)
    same_as_canonical(raw)


def test_exif_behind_the_first_scan_is_not_of_this_image(same_as_canonical):
    raw = JPEG + with_segments(JPEG, exif_segment(oriented(6)))
    assert not is_turned(raw)
    same_as_canonical(raw)


@pytest.mark.parametrize("cut", [4, 8, 9, 12, 20, 25])
def test_exif_in_several_segments(cut, same_as_canonical):
    block = oriented(6)
    raw = with_segments(JPEG, exif_segment(block[:cut]), exif_segment(block[cut:]))
    assert is_turned(raw)
    same_as_canonical(raw)


@pytest.mark.parametrize("first", range(1, 9, 2))
def test_the_first_of_two_whole_exif_segments_counts(first, same_as_canonical):
    raw = with_segments(JPEG, exif_segment(oriented(first)), exif_segment(oriented(8)))
    assert is_turned(raw) == (first != 1)
    same_as_canonical(raw)


@pytest.mark.parametrize(
    ("block", "turns"),
    [
        (b"", False),
        (b"II*\0", False),
        (b"II*\0\xff\xff\xff\xff", False),
        (b"XX*\0" + oriented(6)[4:], False),
        (b"II\0*" + oriented(6)[4:], True),  # the other byte order's 42
        (b"II+\0" + oriented(6)[4:], False),  # BigTIFF
        (b"Exif\0\0" + oriented(6), True),  # the name twice
        (oriented(0), False),
        (oriented(9), False),
        (oriented(65535), False),
        (oriented(6)[:-4], True),
        (oriented(6)[:-5], False),
        (oriented(6)[:9], False),
        (exif(), False),
        (exif(entry("<", 6, kind=BYTE)), False),
        (exif(entry("<", 6, kind=FLOAT)), False),
        (exif(entry("<", 6, kind=99)), False),
        (exif(entry("<", 6, kind=SIGNED_SHORT)), True),
        (exif(entry("<", 6, count=0)), False),
        (exif(entry("<", 6 | 1 << 16, count=2)), True),
        (exif(entry("<", 26, count=3), tail=b"\6\0\1\0\1\0"), True),
        (exif(entry("<", 27, count=3), tail=b"\6\0\1\0\1\0"), False),
        (exif(entry("<", 26, kind=LONG8), tail=b"\6" + b"\0" * 7), True),
        (exif(entry("<", 26, kind=LONG8), tail=b"\6" + b"\0" * 6 + b"\1"), False),
        (exif(entry("<", 3), entry("<", 6)), True),
        (exif(entry("<", 6), entry("<", 0)), False),
        (exif(entry("<", 38, MAKE, ASCII, 6), entry("<", 6), tail=b"Maker\0"), True),
        (exif(entry("<", 999, MAKE, ASCII, 6), entry("<", 6)), False),
        (exif(entry("<", 6), entry("<", 999, 0x0131, ASCII, 6)), True),
    ],
)
def test_strange_and_damaged_exif(block, turns, same_as_canonical):
    for raw in (
        with_segments(JPEG, exif_segment(block)),
        with_chunks(PNG, chunk(b"eXIf", block)),
    ):
        assert is_turned(raw) == turns
        same_as_canonical(raw)


def with_xmp(packet: bytes, block: bytes | None) -> list[bytes]:
    """Return a JPEG and a PNG with XMP, and with EXIF unless it is None."""
    segments = [] if block is None else [exif_segment(block)]
    chunks = [] if block is None else [chunk(b"eXIf", block)]
    return [
        with_segments(JPEG, segment(XMP_SEGMENT + packet), *segments),
        with_chunks(PNG, chunk(b"iTXt", XMP_CHUNK + packet), *chunks),
    ]


@pytest.mark.parametrize(
    ("packet", "turns"),
    [
        (b'<rdf:Description tiff:Orientation="6"/>', True),
        (b"<tiff:Orientation>6</tiff:Orientation>\n" * 2, True),
        (b"<x tiff:Orientation='6'/>", False),
        (b'<x tiff:Orientation="9"/><x tiff:Orientation="6"/>', False),
        ('<x>größer</x>\n<x tiff:Orientation="6"/>'.encode(), True),
        (b'\xff\xfe<x tiff:Orientation="6"/>', True),  # no UTF-8
    ],
)
def test_xmp_where_exif_says_nothing(packet, turns, same_as_canonical):
    empty = exif(entry("<", 5, tag=MAKE))
    for raw in [*with_xmp(packet, None), *with_xmp(packet, empty), *with_xmp(packet, b"")]:
        assert is_turned(raw) == turns
        same_as_canonical(raw)


@pytest.mark.parametrize("block", [oriented(1), oriented(0), b"no TIFF"])
def test_exif_that_says_something_or_is_damaged_hides_xmp(block, same_as_canonical):
    for raw in with_xmp(b'<x tiff:Orientation="6"/>', block):
        assert not is_turned(raw)
        same_as_canonical(raw)


def test_the_last_xmp_counts(same_as_canonical):
    packets = [b'<x tiff:Orientation="6"/>', b'<x tiff:Orientation="1"/>']
    for first, last in itertools.permutations(packets):
        segments = [segment(XMP_SEGMENT + packet) for packet in (first, last)]
        raw = with_segments(JPEG, *segments)
        assert is_turned(raw) == (last == packets[0])
        same_as_canonical(raw)


def test_random_directories(same_as_canonical):
    generator = np.random.default_rng(0)
    turned = 0
    for _ in range(300):
        order = str(generator.choice(["<", ">"]))
        entries = [
            entry(
                order,
                int(generator.integers(0, 10)),
                int(generator.choice([0x0112, 0x0112, MAKE])),
                int(generator.choice([SHORT, SHORT, LONG, *range(18)])),
                int(generator.choice([0, 1, 1, 1, 2, 3, 70_000])),
            )
            for _ in range(generator.integers(1, 4))
        ]
        block = exif(*entries, order=order, tail=generator.bytes(generator.integers(0, 30)))
        block = block[: generator.choice([len(block), generator.integers(0, len(block))])]
        raw = with_segments(JPEG, exif_segment(block))
        turned += is_turned(raw)
        same_as_canonical(raw)
    assert turned > 20
