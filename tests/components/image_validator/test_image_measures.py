"""What is measured of an image is what cleanvision measures, and does not hang on its format."""

import io

import numpy as np
import pandas as pd
import pytest
from cleanvision.issue_managers import image_property
from PIL import Image, ImageFilter

from components.image_validator.image_measures import measure_images, open_image, scale_image
from tests.components.image_validator.conftest import photo
from tests.conftest import encoded


def measures(*images: Image.Image) -> pd.DataFrame:
    columns = measure_images([scale_image(encoded(image)) for image in images])
    return pd.DataFrame({name: list(values) for name, values in columns.items()})


@pytest.mark.parametrize("seed", range(3))
def test_small_images_measure_as_cleanvision_does(seed):
    image = photo(seed, (48, 64))
    ours = measures(image).iloc[0]
    brightness = image_property.BrightnessProperty("dark").calculate(image)
    assert ours["brightness"] == pytest.approx(brightness["brightness"], abs=1e-6)
    for name in ("brightness_perc_5", "brightness_perc_99"):
        assert ours[name] == pytest.approx(brightness[name], abs=0.01), name
    entropy = image_property.EntropyProperty().calculate(image)["entropy"]
    assert ours["entropy"] == pytest.approx(entropy, abs=1e-6)


def test_resized_and_re_encoded_pictures_have_nearly_the_same_hash_and_miniature():
    image = photo(1, (400, 300))
    small = open_image(encoded(image.resize((200, 150)), "JPEG", quality=50), 10_000)
    columns = measure_images(
        [scale_image(encoded(one)) for one in (image, small, photo(2, (400, 300)))]
    )
    same, other = (
        bin(int(columns["hash"][0]) ^ int(columns["hash"][n])).count("1") for n in (1, 2)
    )
    assert same <= 2
    assert other > 10
    minis = [np.frombuffer(one, np.uint8).astype(int) for one in columns["miniature"]]
    assert np.abs(minis[0] - minis[1]).mean() < 3 < np.abs(minis[0] - minis[2]).mean()


def test_blur_takes_the_sharpness_away_and_blank_pictures_have_no_edge():
    sharp = photo(3, (300, 400))
    frame = measures(
        sharp, sharp.filter(ImageFilter.GaussianBlur(6)), Image.new("RGB", (64, 64), "white")
    )
    assert frame["sharpness"][0] > 3 * frame["sharpness"][1]
    assert frame["edge"][2] == 0  # nor where the picture ends
    assert frame["one_colour"].tolist()[2] == 1.0


def test_grey_is_seen_also_in_colour_files():
    grey = photo(4).convert("L")
    as_jpeg = Image.open(io.BytesIO(encoded(grey.convert("RGB"), "JPEG", quality=60)))
    found = measures(grey, grey.convert("RGB"), as_jpeg, photo(4))["is_grey"].tolist()
    assert found == [True, True, True, False]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 500), (700, 1), (3, 3)])
def test_images_of_any_size_are_measured(size):
    row = measures(Image.new("RGB", size, (10, 200, 30))).iloc[0]
    assert row["one_colour"] == 1.0
    assert len(row["miniature"]) == 16 * 16 * 3


@pytest.mark.parametrize("seed", range(3))
def test_photos_measure_much_as_their_miniatures_do_with_cleanvision(seed):
    image = photo(seed, (800, 600))
    ours = measures(image).iloc[0]
    whole = image_property.BrightnessProperty("dark").calculate(image)
    assert ours["brightness"] == pytest.approx(whole["brightness"], abs=0.01)
    for name in ("brightness_perc_5", "brightness_perc_99"):
        assert ours[name] == pytest.approx(whole[name], abs=0.1), name
    whole = image_property.EntropyProperty().calculate(image)
    assert ours["entropy"] == pytest.approx(whole["entropy"], abs=0.5)


def test_images_of_any_number_of_pixels_that_were_ingested_are_measured(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert len(measures(photo(1, (64, 64)))) == 1


def test_what_is_no_image_is_said_so():
    with pytest.raises(ValueError, match="no canonical image"):
        scale_image(b"\x89PNG\r\n\x1a\n and then nothing")
