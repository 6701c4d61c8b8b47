"""Image files are read as training reads them, and all that cannot be read are named."""

import pytest
from PIL import Image

from contracts.images.reading import ImageReading
from contracts.system.errors import InputError
from serving.image_files import read_image_files
from tests.conftest import encoded


def test_every_file_that_is_no_image_is_named_with_the_reason(tmp_path, write_image):
    good = write_image(tmp_path / "good.png")
    text, cut, gone = (tmp_path / name for name in ("text.jpg", "cut.png", "gone.png"))
    text.write_text("no image")
    cut.write_bytes(good.read_bytes()[:-20])
    with pytest.raises(InputError) as raised:
        read_image_files([text, good, cut, gone, tmp_path], ImageReading())
    assert [problem.partition(" (")[0] for problem in raised.value.problems] == [
        f"{text}: expected an image, received: unrecognised_format",
        f"{cut}: expected an image, received: truncated",
        f"{gone}: expected an image file, received: No such file or directory.",
        f"{tmp_path}: expected an image file, received: Is a directory.",
    ]


def test_files_are_read_as_the_images_of_the_training_were(tmp_path):
    file = tmp_path / "transparent.png"
    file.write_bytes(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0))))
    images = read_image_files([file], ImageReading(background="#102030"))
    (tmp_path / "read.png").write_bytes(images[0])
    assert Image.open(tmp_path / "read.png").getpixel((0, 0)) == (16, 32, 48)
    with pytest.raises(InputError, match="too_many_bytes"):
        read_image_files([file], ImageReading(max_bytes=10))
