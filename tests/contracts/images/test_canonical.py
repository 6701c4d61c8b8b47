import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from contracts.images.canonical import CanonicalImage, canonicalise
from contracts.images.reading import DEFAULT_READING, ImageReading
from contracts.images.refusal import UnreadableImage
from tests.conftest import encoded

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]


def texture(mode: str = "RGB", size: tuple[int, int] = (24, 16)) -> Image.Image:
    values = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def pixels_of(canonical: CanonicalImage) -> np.ndarray:
    with Image.open(io.BytesIO(canonical.encoded)) as image:
        return np.asarray(image.convert("RGB"))


def refusal(raw: bytes, reading: ImageReading = DEFAULT_READING) -> str:
    with pytest.raises(UnreadableImage) as caught:
        canonicalise(raw, reading)
    assert caught.value.detail
    return caught.value.reason


@pytest.mark.parametrize(
    ("image_format", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "L", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("PNG", "RGB", {}),
        ("PNG", "L", {}),
    ],
)
def test_canonical_files_pass_through_byte_for_byte(
    image_format: str, mode: str, options: dict[str, Any]
) -> None:
    raw = encoded(texture(mode), image_format, **options)
    canonical = canonicalise(raw)
    assert canonical.encoded is raw
    assert (canonical.width, canonical.height) == (24, 16)
    assert (canonical.source_format, canonical.source_channels) == (image_format, len(mode))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_is_applied_to_the_pixels(image_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if image_format == "WEBP" else {}
    raw = encoded(texture(), image_format, exif=exif, **options)
    with Image.open(io.BytesIO(raw)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    canonical = canonicalise(raw)
    np.testing.assert_array_equal(pixels_of(canonical), expected)
    assert (canonical.height, canonical.width) == expected.shape[:2]
    with Image.open(io.BytesIO(canonical.encoded)) as again:
        assert 0x0112 not in again.getexif() or orientation == 1


@pytest.mark.parametrize(
    ("image_format", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "P", "LA", "RGBA")),
        *(("TIFF", mode) for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK")),
        *(("BMP", mode) for mode in ("1", "L", "P", "RGB")),
        *((other, "RGB") for other in ("GIF", "WEBP", "PPM", "PCX", "ICO", "JPEG2000", "AVIF")),
        ("JPEG", "CMYK"),
    ],
)
def test_everything_else_becomes_the_same_pixels_as_png(image_format: str, mode: str) -> None:
    raw = encoded(texture(mode), image_format)
    canonical = canonicalise(raw)
    assert canonical.encoded.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(raw)) as image:
        expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(pixels_of(canonical), expected)
    assert canonicalise(canonical.encoded).encoded == canonical.encoded


def test_transparency_is_laid_on_the_background() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    clear.putpixel((0, 0), (255, 0, 0, 255))
    clear.putpixel((1, 0), (0, 0, 0, 51))
    pixels = pixels_of(canonicalise(encoded(clear, "PNG")))
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert pixels[0, 1].tolist() == [204, 204, 204]
    assert pixels[3, 3].tolist() == [255, 255, 255]
    on_green = ImageReading(background="#00ff00")
    assert pixels_of(canonicalise(encoded(clear, "PNG"), on_green))[3, 3].tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    ("mode", "colour", "transparency"),
    [
        ("RGB", (1, 2, 3), (1, 2, 3)),
        ("L", 7, 7),
        ("P", 0, b"\0"),
        ("I;16", 300, 300),
    ],
)
def test_a_colour_named_transparent_becomes_the_background(
    mode: str, colour: Any, transparency: Any
) -> None:
    image = Image.new(mode, (4, 4), colour)
    raw = encoded(image, "PNG", transparency=transparency)
    if mode == "I;16":  # Pillow does not write it
        raw = with_chunk(raw, b"tRNS", struct.pack(">H", transparency))
    canonical = canonicalise(raw, ImageReading(background="#102030"))
    assert pixels_of(canonical)[1, 1].tolist() == [0x10, 0x20, 0x30]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_grey_of_few_bits_named_transparent_becomes_the_background(bits: int) -> None:
    largest = 2**bits - 1
    header = struct.pack(">IIBBBBB", 2, 1, bits, 0, 0, 0, 0)
    row = bytes([0, largest << (8 - bits)])  # no filter; the largest value, then 0
    chunks = (
        (b"IHDR", header),
        (b"tRNS", struct.pack(">H", largest)),
        (b"IDAT", zlib.compress(row)),
        (b"IEND", b""),
    )
    raw = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)
    canonical = canonicalise(raw, ImageReading(background="#102030"))
    assert pixels_of(canonical).tolist() == [[[0x10, 0x20, 0x30], [0, 0, 0]]]


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def with_chunk(png: bytes, name: bytes, content: bytes) -> bytes:
    """Return a PNG with one more chunk before its pixels."""
    at = png.index(b"IDAT") - 4
    return png[:at] + chunk(name, content) + png[at:]


def profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def swapped_profile() -> bytes:
    """Return an RGB profile that means green where sRGB means red, and the other way round."""
    raw = bytearray(profile("sRGB"))
    tags = {
        bytes(raw[at : at + 4]): struct.unpack(">II", raw[at + 4 : at + 12])
        for at in range(132, 132 + 12 * struct.unpack(">I", raw[128:132])[0], 12)
    }
    (red, size), (green, _) = tags[b"rXYZ"], tags[b"gXYZ"]
    raw[red : red + size], raw[green : green + size] = (
        raw[green : green + size],
        raw[red : red + size],
    )
    return bytes(raw)


def test_colours_are_those_that_the_profile_means() -> None:
    image = Image.new("RGB", (8, 8), (200, 30, 60))
    for image_format in ("PNG", "JPEG", "TIFF", "WEBP"):
        options = {"lossless": True} if image_format == "WEBP" else {}
        raw = encoded(image, image_format, icc_profile=swapped_profile(), **options)
        canonical = canonicalise(raw)
        red, green, blue = pixels_of(canonical)[4, 4].tolist()
        assert abs(red - 30) < 6 and abs(green - 200) < 6 and abs(blue - 60) < 6, image_format
        with Image.open(io.BytesIO(canonical.encoded)) as again:
            assert "icc_profile" not in again.info
    clear = Image.new("RGBA", (8, 8), (200, 30, 60, 255))
    pixels = pixels_of(canonicalise(encoded(clear, "PNG", icc_profile=swapped_profile())))
    assert pixels[4, 4, 1] > 190


def test_a_profile_that_is_srgb_damaged_or_of_other_pixels_changes_nothing() -> None:
    for icc_profile in (profile("sRGB"), b"damaged", profile("sRGB")[:200], profile("LAB")):
        raw = encoded(texture(), "JPEG", icc_profile=icc_profile)
        assert canonicalise(raw).encoded == raw


def test_lab_pixels_become_srgb() -> None:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(Image.new("RGB", (8, 8), (200, 30, 60)), to_lab)
    pixels = pixels_of(canonicalise(encoded(lab, "TIFF")))
    assert np.abs(pixels[4, 4].astype(int) - (200, 30, 60)).max() < 6


def test_heic_and_avif_are_read_and_upright() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    image = Image.new("RGB", (64, 48), "red")
    image.paste("blue", (32, 0, 64, 48))
    for orientation in (1, 6):
        exif = Image.Exif()
        exif[0x0112] = orientation
        buffer = io.BytesIO()
        pillow_heif.from_pillow(image).save(buffer, quality=-1, exif=exif.tobytes())
        avif = encoded(image, "AVIF", quality=100, exif=exif.tobytes())
        for raw, name in ((buffer.getvalue(), "HEIF"), (avif, "AVIF")):
            canonical = canonicalise(raw)
            assert canonical.source_format == name
            pixels = pixels_of(canonical).astype(int)
            upright = np.rot90(np.asarray(image), -1) if orientation == 6 else np.asarray(image)
            assert pixels.shape == upright.shape, (name, orientation)
            assert np.abs(pixels - upright).mean() < 3, (name, orientation)


def test_wide_values_are_scaled_by_the_range_of_the_data_set() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None, :]
    expected = np.arange(256)
    wide = Image.fromarray(np.repeat(ramp, 2, axis=0))
    for image_format in ("PNG", "TIFF", "PPM"):
        pixels = pixels_of(canonicalise(encoded(wide, image_format)))
        np.testing.assert_array_equal(pixels[0, :, 0], expected)
    for top in (1, 255, 65535, 1e6):
        floats = Image.fromarray((ramp / 65535 * top).astype(np.float32))
        reading = ImageReading(float_range=(0.0, top))
        pixels = pixels_of(canonicalise(encoded(floats, "TIFF"), reading))
        np.testing.assert_array_equal(pixels[0, :, 0], expected)


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize(("colour_type", "bands"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_a_png_of_sixteen_bits_keeps_all_the_bits_that_are_used(
    bits: int, colour_type: int, bands: int
) -> None:
    values = np.random.default_rng(1).integers(0, 2**bits, (9, 7, bands)).astype(np.uint16)
    colours = 3 if bands > 2 else 1
    values[..., colours:] = 65535  # opaque
    raw = sixteen_bit_png(values, colour_type)
    reading = ImageReading(integer_range=(0, 2**bits - 1))
    expected = np.rint(values[..., :colours] * 255.0 / (2**bits - 1))
    assert (pixels_of(canonicalise(raw, reading)) == expected).all()


def sixteen_bit_png(values: np.ndarray, colour_type: int) -> bytes:
    """Return a PNG of uint16 [height, width, bands], without filters."""
    height, width = values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tiff_of_floating_point_rgb_is_read(planar: str, compression: str | None) -> None:
    levels = np.random.default_rng(2).integers(0, 256, (6, 5, 3))
    floats = (levels / 255).astype(np.float32)
    stored = np.moveaxis(floats, -1, 0) if planar == "separate" else floats
    raw = tiff(stored, photometric="rgb", planarconfig=planar, compression=compression)
    np.testing.assert_array_equal(pixels_of(canonicalise(raw)), levels)
    assert refusal(raw[: len(raw) - 9]) == "truncated"


def tiff(values: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("bands", [5, 13])
def test_a_tiff_of_many_bands_is_refused_with_their_number_and_type(bands: int) -> None:
    raw = tiff(np.zeros((4, 6, bands), np.uint16), photometric="minisblack", planarconfig="contig")
    with pytest.raises(UnreadableImage, match=f"{bands} bands of 16-bit unsigned integers") as why:
        canonicalise(raw)
    assert why.value.reason == "unsupported_pixels"


def test_a_value_beyond_the_range_is_named_and_not_clipped() -> None:
    wide = Image.fromarray(np.array([[0, 4095, 5000]], np.uint16))
    with pytest.raises(UnreadableImage, match=r"0 to 5000, beyond .* 0 to 4095") as caught:
        canonicalise(encoded(wide, "PNG"), ImageReading(integer_range=(0, 4095)))
    assert caught.value.reason == "values_out_of_range"


def test_not_a_number_is_black_and_no_crash() -> None:
    floats = Image.fromarray(np.array([[np.nan, np.inf, 1.0]], np.float32))
    assert pixels_of(canonicalise(encoded(floats, "TIFF")))[0, :, 0].tolist() == [0, 0, 255]


def test_first_frame_of_an_animation_is_taken() -> None:
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    for image_format in ("GIF", "PNG", "WEBP", "TIFF"):
        options = {"lossless": True} if image_format == "WEBP" else {}
        raw = encoded(red, image_format, save_all=True, append_images=[blue], **options)
        pixels = pixels_of(canonicalise(raw))
        assert pixels[0, 0].tolist() == [255, 0, 0], image_format
        assert canonicalise(raw).note == "the first of 2 frames", image_format
    assert canonicalise(encoded(red, "GIF")).note is None


def test_brightness_is_of_the_luma() -> None:
    half = np.zeros((10, 10, 3), np.uint8)
    half[5:] = 255
    canonical = canonicalise(encoded(Image.fromarray(half), "PNG"))
    assert (canonical.brightness_mean, canonical.brightness_std) == (0.5, 0.5)
    red = canonicalise(encoded(Image.new("RGB", (300, 300), (255, 0, 0)), "PNG"))
    assert red.brightness_mean == pytest.approx(0.299, abs=2e-3)
    assert red.brightness_std == 0
    noise = texture(size=(700, 500))
    luma = np.asarray(noise.convert("L")) / 255
    canonical = canonicalise(encoded(noise, "PNG"))
    assert canonical.brightness_mean == pytest.approx(luma.mean(), abs=0.01)
    assert canonical.brightness_std == pytest.approx(luma.std(), abs=0.01)


def test_refusals_have_names() -> None:
    jpeg, png = encoded(texture(), "JPEG"), encoded(texture(), "PNG")
    assert refusal(b"") == "empty_file"
    assert refusal(b"no image at all") == "unrecognised_format"
    assert refusal(b"\0\0\0\x18ftypheic\0\0\0\0") == "unrecognised_format"
    assert refusal(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") == "unrecognised_format"
    assert refusal(jpeg[: len(jpeg) // 2]) == "truncated"
    assert refusal(png[: len(png) // 2]) == "truncated"
    assert refusal(png[:-12]) == "truncated"
    assert refusal(jpeg[:4]) == "corrupt"
    assert refusal(png, ImageReading(max_pixels=24 * 16 - 1)) == "too_many_pixels"
    assert refusal(png, ImageReading(max_bytes=len(png) - 1)) == "too_many_bytes"
    assert refusal(png, ImageReading(max_aspect=1.4)) == "too_elongated"
    just_so = ImageReading(max_bytes=len(png), max_pixels=24 * 16, max_aspect=1.5)
    assert canonicalise(png, just_so).encoded == png


def test_a_jpeg_of_twelve_bits_is_refused_with_the_reason() -> None:
    raw = bytearray(encoded(texture(), "JPEG"))
    frame = raw.index(b"\xff\xc0")
    raw[frame + 4] = 12
    with pytest.raises(UnreadableImage, match=r"unsupported_pixels \(a JPEG of 12 bits a sample\)"):
        canonicalise(bytes(raw))


@pytest.mark.parametrize("side", [9_460, 20_000])
def test_a_decompression_bomb_is_refused_unread(side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header
    chunk += struct.pack(">I", zlib.crc32(b"IHDR" + header))
    raw = b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\x09IDAT"
    assert refusal(raw) == "too_many_pixels"


def test_refusals_cross_process_borders() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(UnreadableImage("corrupt", "why")))
    assert (error.reason, error.detail, str(error)) == ("corrupt", "why", "corrupt (why)")


def test_damaged_bytes_are_refused_or_read_but_never_raise_anything_else() -> None:
    generator = np.random.default_rng(3)
    formats = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "ICO", "JPEG2000", "PPM", "PCX")
    refused = 0
    for image_format in formats:
        raw = encoded(texture(), image_format)
        for _ in range(60):
            damaged = bytearray(raw)
            for position in generator.integers(0, len(raw), 4):
                damaged[position] = generator.integers(0, 256)
            try:
                canonicalise(bytes(damaged))
            except UnreadableImage:
                refused += 1
    assert refused > 100


def test_a_jpeg_whose_end_is_hidden_does_not_pass_through() -> None:
    raw = encoded(texture(size=(64, 64)), "JPEG")
    segment_beyond_the_end = b"\xff\xe5\xff\xff"
    damaged = raw[:-40] + segment_beyond_the_end + raw[-36:]
    assert canonicalise(damaged).encoded.startswith(b"\x89PNG")


def test_damaged_exif_does_not_hide_good_pixels() -> None:
    raw = encoded(texture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert canonicalise(raw).encoded == raw


def test_the_png_suite_is_told_apart(real_data: Path) -> None:
    files = sorted((real_data / "pngsuite").glob("*/*.*"))
    assert len(files) > 300
    for file in files:
        if file.name.startswith("x"):
            refusal(file.read_bytes())
        else:
            canonicalise(file.read_bytes())


def test_tensorflow_reads_what_was_written(real_data: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    files = sorted((real_data / "pngsuite").glob("*/[!x]*.*"))
    for file in files:
        canonical = canonicalise(file.read_bytes())
        decoded = tf.io.decode_image(canonical.encoded, channels=3).numpy()
        assert decoded.shape == (canonical.height, canonical.width, 3)
        np.testing.assert_array_equal(decoded, pixels_of(canonical), err_msg=file.name)
    for mode in ("L", "RGB"):
        raw = encoded(texture(mode), "JPEG")
        assert tf.io.decode_image(raw, channels=3).shape == (16, 24, 3)
