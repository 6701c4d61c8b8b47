"""Every copy of a picture is found, in whatever shape, and no other picture is taken for one."""

import io
import time

from PIL import Image

from components.image_validator.checks.duplicates import find_duplicates, group_rows
from components.image_validator.measured_images import MeasuredImages
from tests.components.image_validator.conftest import photo
from tests.conftest import encoded

NEAR = 0.1


def groups(pictures: MeasuredImages) -> tuple[list[list[str]], list[list[str]]]:
    """Return the exact groups, and those of the same picture in any shape."""
    found = find_duplicates(pictures, NEAR)
    return tuple(
        [pictures.texts("path", rows) for rows in group_rows(numbers)]
        for numbers in (found.exact, found.alike)
    )


def test_exact_means_equal_pixels_and_near_the_same_picture(make_pictures):
    image = photo(0, (240, 320))
    rows = [
        ("a.png", "x", "train", image),
        ("b.png", "x", "train", encoded(image)),  # the same file
        ("c.bmp", "x", "test", encoded(image, "BMP")),  # the same pixels in another file
        ("d.jpg", "y", "train", encoded(image, "JPEG", quality=40)),
        ("e.jpg", "y", "test", encoded(image.resize((80, 107)), "JPEG", quality=80)),
        ("f.webp", "y", "test", encoded(image.resize((480, 640)), "WEBP", quality=60)),
        *((f"other{seed}.png", "x", "train", photo(seed, (240, 320))) for seed in range(1, 30)),
    ]
    exact, alike = groups(make_pictures(rows))
    assert exact == [["a.png", "b.png", "c.bmp"]]
    assert alike == [["a.png", "b.png", "c.bmp", "d.jpg", "e.jpg", "f.webp"]]


def test_the_pixels_of_a_large_jpeg_are_known_in_another_file(make_pictures):
    jpeg = encoded(photo(5, (1200, 900)), "JPEG", quality=85)
    again = Image.open(io.BytesIO(jpeg))
    rows = [
        ("a.jpg", "x", "train", jpeg),
        ("b.png", "x", "train", again),
        ("c.jpg", "x", "train", encoded(again, "JPEG", quality=80)),
    ]
    exact, alike = groups(make_pictures(rows))
    assert exact == [["a.jpg", "b.png"]]
    assert alike == [["a.jpg", "b.png", "c.jpg"]]


def test_blank_pictures_are_told_apart_by_their_colour(make_pictures):
    colours = ("black", "white", "black", "red", "white")
    rows = [
        (f"{number}.png", "x", "train", Image.new("RGB", (40 + number, 40), colour))
        for number, colour in enumerate(colours)
    ]
    exact, alike = groups(make_pictures(rows))
    assert exact == []  # of other sizes
    assert alike == [["0.png", "2.png"], ["1.png", "4.png"]]


def test_many_blank_pictures_cost_no_more_than_others(make_pictures):
    blank = [
        (f"{number:04}.png", "x", "train", encoded(Image.new("L", (8, 8 + number % 2), 7)))
        for number in range(3000)
    ]
    pictures = make_pictures(blank)
    began_s = time.process_time()
    exact, alike = groups(pictures)
    # All pairs would be 4.5 million pictures decoded: minutes.
    assert time.process_time() - began_s < 10
    assert sorted(map(len, exact)) == [1500, 1500]
    assert [len(group) for group in alike] == [3000]


def test_no_pictures_have_no_duplicates(make_pictures):
    assert groups(make_pictures([("a.png", "x", "train", photo(1))])) == ([], [])
    assert groups(make_pictures([])) == ([], [])
