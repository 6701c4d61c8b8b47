"""Checks on single images: dark, light, blurred, drawn, of an odd size or aspect.

cleanvision decides which images are dark, light, of little information or of an odd aspect, from
measures by its definitions on the image at 64 px. Blur and odd sizes have checks of our own
(docs/adr/0010).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from cleanvision.issue_managers.image_property import (
    AspectRatioProperty,
    BrightnessProperty,
    EntropyProperty,
)

from components.image_validator.measured_images import MeasuredImages
from contracts.config.validation import ValidationConfig

Array = npt.NDArray[Any]

# An image is odd only if its score is below this part of the median. So a data set of night photos
# or of drawings has no findings; a single such image among others is one.
_PART_OF_MEDIAN = 0.5
# A size is an outlier if it is so many interquartile ranges beyond the quartiles.
_OUTLYING = 3.0
# In levels of 0 to 255: an image without an edge as strong is blank, neither blurred nor drawn.
_EDGE = 3 / 255
# A line of a drawing.
_LINE = 24 / 255
# The Laplace filter gives at most so many times the contrast of the image.
_EDGE_A_CONTRAST = 4
# cleanvision's scale from entropy, in bits, to a score.
_SCORE_A_BIT = 0.1


def find_odd_images(pictures: MeasuredImages, config: ValidationConfig) -> dict[str, Array]:
    """Return for each check on single images which rows it finds, bool [images]."""
    scores = _scores(pictures)
    found = {
        name: (score < config.check(name).threshold) & (score < _PART_OF_MEDIAN * _median(score))
        for name, score in scores.items()
    }
    has_edges = pictures.numbers("edge") > _EDGE
    has_lines = pictures.numbers("edge") > _LINE
    found["placeholder"] = has_lines & _is_drawn(pictures, config.placeholder.threshold)
    found["blurry"] &= has_edges & ~found["placeholder"]
    found["odd_size"] = _is_odd_size(pictures, config.odd_size.threshold)
    is_grey = pictures.numbers("is_grey").astype(bool)
    is_rare = is_grey.mean() <= config.grayscale_among_colour.threshold if len(pictures) else False
    found["grayscale_among_colour"] = is_grey & is_rare & has_edges & ~found["placeholder"]
    return found


def contrasts(pictures: MeasuredImages) -> Array:
    """Return the contrast of each image, from 0 to 1.

    It is the distance of the percentiles 5 and 99 of the brightness. Thin lines and small lights
    cover less of the image, so that the strongest edge is a lower limit.
    """
    low, high = (pictures.numbers(f"brightness_perc_{part}").astype(float) for part in (5, 99))
    found: Array = np.maximum(high - low, pictures.numbers("edge") / _EDGE_A_CONTRAST)
    return found


def _scores(pictures: MeasuredImages) -> dict[str, Array]:
    """Return a score of each image from 0 to 1; a lower one is worse."""
    width, height = (pictures.numbers(name).astype(float) for name in ("width", "height"))
    names = ("brightness_perc_5", "brightness_perc_99", "entropy")
    measures = pd.DataFrame({name: pictures.numbers(name).astype(float) for name in names})
    measures["aspect_ratio"] = np.minimum(width / height, height / width)

    def score(judge: Any, name: str, **options: float) -> Array:
        scored: Array = judge.get_scores(measures, name, **options)[f"{name}_score"].to_numpy()
        return scored

    return {
        "dark": score(BrightnessProperty("dark"), "dark"),
        "light": score(BrightnessProperty("light"), "light"),
        "low_information": score(
            EntropyProperty(), "low_information", normalizing_factor=_SCORE_A_BIT
        ),
        "odd_aspect": score(AspectRatioProperty(), "odd_aspect"),
        "blurry": pictures.numbers("sharpness").astype(float),
    }


def _is_drawn(pictures: MeasuredImages, threshold: float) -> Array:
    """Tell which images are mostly of one colour while the others are not."""
    rest = 1.0 - pictures.numbers("one_colour").astype(float)
    drawn: Array = (rest < 1.0 - threshold) & (rest < _PART_OF_MEDIAN * _median(rest))
    return drawn


def _is_odd_size(pictures: MeasuredImages, factor: float) -> Array:
    """Tell which images are `factor` times larger or smaller than the median, and outliers."""
    area = pictures.numbers("width").astype(float) * pictures.numbers("height")
    logs = np.log(np.sqrt(area))
    if not len(logs):
        return np.zeros(0, bool)
    low, middle, high = np.percentile(logs, (25, 50, 75))
    margin = _OUTLYING * (high - low)
    outlying = (logs < low - margin) | (logs > high + margin)
    odd: Array = outlying & (np.abs(logs - middle) >= np.log(factor))
    return odd


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else 0.0
