import io

import numpy as np
import pytest
from PIL import Image

from components.image_example_gen.listing.image_names import FIRST_BYTES, may_be_image


def encoded(file_format: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, file_format)
    return file.getvalue()[:FIRST_BYTES]


@pytest.mark.parametrize(
    "file_format",
    [
        *("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "ICO", "JPEG2000", "TGA", "PCX"),
        "ICNS",
    ],
)
@pytest.mark.parametrize("name", ["picture", "picture.dat", "1.2"])
def test_an_image_may_be_one_by_whatever_name(file_format: str, name: str) -> None:
    assert may_be_image(name, encoded(file_format))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_the_usual_images_are_seen_behind_the_name_of_another_kind(file_format: str) -> None:
    assert may_be_image("picture.txt", encoded(file_format))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("a.cpython-310.pyc", b"o\r\r\n\0\0\0\0"),
        ("__init__.py", b""),
        ("Makefile", b"all:\n\ttrue\n"),
        ("loss", "1700 0.5 naïve\n".encode()),
        ("events.out.tfevents.17.host", b"\x18\0\0\0\0\0\0\0\xa3"),
        ("model.ckpt.data-00000-of-00001", b"\0\1\2\3"),
        ("run-a1.wandb", b":W&B\xbe\0\0"),
        ("table.parquet", b"PAR1\x15\0"),
    ],
)
def test_what_tools_leave_is_no_image(name: str, first: bytes) -> None:
    assert not may_be_image(name, first)


def test_what_nobody_knows_may_be_an_image() -> None:
    assert may_be_image("picture", b"")
    assert may_be_image("picture.xyz", b"\0\1\2\3")
    assert may_be_image("damaged.jpg", b"no picture at all")
