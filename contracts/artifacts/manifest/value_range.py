"""The value ranges of images of more than 8 bits, and the sentences that describe them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Source = Literal["config", "earlier", "sample"]

_IMAGES: Final = {
    "integer": "Images of more than 8 bits",
    "float": "Images of floating-point numbers",
}
_REASONS: Final[dict[Source, str]] = {
    "config": ", as data.value_range says.",
    "earlier": ", as the earlier ingestion has read them. `data.value_range` sets another range.",
    "sample": ": the {images:,} of them in a sample fit into it. "
    "`data.value_range` sets another range.",
}


@dataclass(frozen=True)
class ValueRange:
    """The values of black and white of a kind, its images in the sample, and the source."""

    low: float
    high: float
    images: int
    source: Source = "sample"


def value_range_sentences(ranges: Mapping[str, ValueRange]) -> list[str]:
    """Return a sentence on the values of black and white for each kind of deep images."""
    return [
        f"{_IMAGES[kind]} are read with {values.low:.15g} as black and {values.high:.15g} as white"
        + _REASONS[values.source].format(images=values.images)
        for kind, values in sorted(ranges.items())
    ]
