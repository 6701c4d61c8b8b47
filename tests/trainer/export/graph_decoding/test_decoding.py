"""Raw files in the graph: the pixels of `canonicalise` to the bit, or InvalidArgument."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from contracts.images.canonical import UnreadableImage, canonicalise
from contracts.images.reading import ImageReading
from tests.conftest import encoded
from tests.trainer.export.graph_decoding.conftest import READING
from tests.trainer.export.graph_decoding.raw_files import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    chunk,
    exif_segment,
    oriented,
    picture,
    png_of,
    with_chunks,
    with_segments,
)
from trainer.export.graph_decoding import decode_raw, may_differ
from trainer.export.graph_decoding.jpeg_segments import MOST_STEPS
from trainer.preprocessing import decode

KINDS = [
    *((bits, GREY) for bits in (1, 2, 4, 8, 16)),
    *((bits, PALETTE) for bits in (1, 2, 4, 8)),
    *((bits, colour_type) for bits in (8, 16) for colour_type in (RGB, GREY_ALPHA, RGB_ALPHA)),
]


@pytest.mark.parametrize(("bits", "colour_type"), KINDS)
def test_every_kind_of_png(bits, colour_type, same_as_canonical):
    for seed in range(5):
        raw = png_of(bits, colour_type, seed)
        same_as_canonical(raw)
        same_as_canonical(with_chunks(raw, chunk(b"eXIf", oriented(6))))


@pytest.mark.parametrize(("bits", "colour_type"), [kind for kind in KINDS if kind[1] <= PALETTE])
def test_a_colour_named_transparent(bits, colour_type, same_as_canonical, in_graph):
    alphas = bytes(range(0, 2**bits, 2)) if colour_type == PALETTE else b""
    for value in (0, 2**bits - 1):
        key = alphas or struct.pack(">H", value) * (3 if colour_type == RGB else 1)
        raw = png_of(bits, colour_type, chunks=chunk(b"tRNS", key))
        same_as_canonical(raw)
        if value == 0:  # as the first pixel is
            np.testing.assert_array_equal(in_graph(raw)[0, 0], [0x10, 0x20, 0x30])


def test_each_alpha_on_each_level(same_as_canonical):
    levels, alphas = np.meshgrid(np.arange(256), np.arange(256))
    layers = np.stack([levels, 255 - levels, levels, alphas], axis=-1).astype(np.uint8)
    same_as_canonical(encoded(layers))
    same_as_canonical(encoded(layers[..., 2:]))


@pytest.mark.parametrize("colour_type", [GREY, RGB, GREY_ALPHA, RGB_ALPHA])
def test_16_bits_are_scaled_by_the_range_of_the_data_set(colour_type):
    raw = png_of(16, colour_type)
    for values in ((0.0, 131071.0), (-1000.0, 65535.0), (0.0, 65535.0 + 255)):
        reading = ImageReading(integer_range=values)
        expected = decode(tf.constant(canonicalise(raw, reading).encoded))
        np.testing.assert_array_equal(decode_raw(tf.constant(raw), reading), expected)


def test_values_beyond_the_range_are_an_error_not_clipped():
    reading = ImageReading(integer_range=(0.0, 4095.0))
    raw = png_of(16, GREY)
    with pytest.raises(UnreadableImage, match="values_out_of_range"):
        canonicalise(raw, reading)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"0 to 4095 \(data.value_range\)"):
        decode_raw(tf.constant(raw), reading)


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"subsampling": "4:2:0"},
        {"progressive": True},
        {"quality": 30},
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_turned_jpeg_of_every_kind(mode, options, same_as_canonical):
    jpeg = encoded(picture(133, 201).convert(mode), "JPEG", **options)
    same_as_canonical(with_segments(jpeg, exif_segment(oriented(8))))


def test_canonical_files_keep_the_pixels_that_training_saw(in_graph):
    for raw in (
        encoded(picture(), "JPEG"),
        with_segments(encoded(picture(), "JPEG"), exif_segment(oriented(1))),
        encoded(picture(), "PNG"),
        with_chunks(encoded(picture(), "PNG"), chunk(b"eXIf", oriented(1))),
        encoded(picture().convert("L"), "PNG"),
    ):
        assert canonicalise(raw).encoded == raw
        np.testing.assert_array_equal(in_graph(raw), decode(tf.constant(raw)))


def test_files_without_metadata_take_the_short_way():
    short = [encoded(picture(), "JPEG"), encoded(picture(), "PNG"), encoded(picture(), "BMP")]
    long = [
        with_segments(short[0], exif_segment(oriented(1))),
        encoded(picture().convert("RGBA"), "PNG"),
        png_of(16, GREY),
    ]
    assert may_differ(tf.constant(short + long)).numpy().tolist() == [False] * 3 + [True] * 3


def test_a_bmp_that_holds_the_name_of_metadata_is_still_read(in_graph):
    pixels = np.frombuffer(b"tRNS", np.uint8).reshape(1, 4)
    raw = encoded(pixels, "BMP")
    assert b"tRNS" in raw
    np.testing.assert_array_equal(in_graph(raw), np.stack([pixels] * 3, axis=-1))


def test_cmyk_is_refused_with_the_next_step(in_graph):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"4 \(CMYK\)\. Canonicalise it first"):
        in_graph(encoded(picture().convert("CMYK"), "JPEG"))


def test_a_jpeg_without_lengths_ends():
    jpeg = encoded(picture(), "JPEG")
    turned = exif_segment(oriented(6))
    for damage in (b"\xff\xe2\0\0" * 50, b"\xff\xe2\xff\xff", b"\xff\xe1\0\1"):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode_raw(tf.constant(jpeg[:2] + turned + damage), READING)


def test_a_jpeg_with_filling_is_read_and_one_with_too_much_is_refused(same_as_canonical, in_graph):
    jpeg, turned = encoded(picture(), "JPEG"), exif_segment(oriented(6))
    same_as_canonical(with_segments(jpeg, b"\xff" * 99, turned))
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"within {MOST_STEPS} segments"):
        in_graph(with_segments(jpeg, turned, b"\xff" * MOST_STEPS))


def test_a_png_of_too_many_chunks_is_refused(in_graph):
    empty = chunk(b"tEXt", b"") * MOST_STEPS
    raw = with_chunks(encoded(picture().convert("RGBA"), "PNG"), empty)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"at most {MOST_STEPS} chunks"):
        in_graph(raw)


def test_damaged_files_give_pixels_or_an_error(in_graph):
    generator = np.random.default_rng(0)
    files = [
        with_segments(encoded(picture(), "JPEG"), exif_segment(oriented(6))),
        with_chunks(encoded(picture().convert("RGBA"), "PNG"), chunk(b"eXIf", oriented(6))),
        png_of(4, PALETTE, chunks=chunk(b"tRNS", b"\0\x80")),
        png_of(16, RGB_ALPHA),
    ]
    refused = 0
    for number in range(400):
        damaged = bytearray(files[number % len(files)])
        for position in generator.integers(0, len(damaged), 3):
            damaged[position] = generator.integers(0, 256)
        end = len(damaged) if number % 3 else int(generator.integers(1, len(damaged)))
        try:
            assert in_graph(bytes(damaged[:end])).shape[-1] == 3
        except tf.errors.InvalidArgumentError:
            refused += 1
    assert refused > 100


def test_the_png_suite(real_data: Path, same_as_canonical):
    files = sorted((real_data / "pngsuite" / "png").glob("[!x]*.png"))
    assert len(files) > 150
    for file in files:
        same_as_canonical(file.read_bytes())


def test_photos_in_every_orientation(real_data: Path, same_as_canonical):
    files = sorted((real_data / "clothing-dev").rglob("*.jpg"))[::64]
    assert len(files) >= 16
    for number, file in enumerate(files):
        photo = file.read_bytes()
        same_as_canonical(photo)
        same_as_canonical(with_segments(photo, exif_segment(oriented(1 + number % 8))))
