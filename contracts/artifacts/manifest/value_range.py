"""The values that become black and white in images of more than 8 bits, as users read them."""

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
    """The range of the images of a kind, how many of them the sample holds, who has decided it."""

    low: float
    high: float
    images: int
    source: Source = "sample"


def value_range_sentences(ranges: Mapping[str, ValueRange]) -> list[str]:
    """Return what is black and white in each kind of deep images, and why."""
    return [
        f"{_IMAGES[kind]} are read with {values.low:.15g} as black and {values.high:.15g} as white"
        + _REASONS[values.source].format(images=values.images)
        for kind, values in sorted(ranges.items())
    ]
