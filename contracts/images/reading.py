"""How images are read and which are refused: part of what a model was trained on."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from contracts.images.values import SampleKind, SampleRange
from contracts.system.atomic_files import write_whole

READING_FILE = "image_reading.json"  # in the folder of examples, and inside a model


@dataclass(frozen=True)
class ImageReading:
    """What `canonicalise` needs besides the bytes.

    `background` is what transparency is laid on, as "#rrggbb". `max_pixels` is the size at which
    Pillow warns of a bomb. `max_aspect` is of the longer side to the shorter. `integer_range` and
    `float_range` are the values that become black and white in images of integers of more than 8
    bits and in images of floating-point numbers: the same for all images of a data set.
    """

    background: str = "#ffffff"
    max_bytes: int = 1 << 30
    max_pixels: int = 89_478_485
    max_aspect: float = 1000.0
    integer_range: SampleRange = (0.0, 65535.0)
    float_range: SampleRange = (0.0, 1.0)

    def __post_init__(self) -> None:
        """Make tuples of the ranges again: JSON has none."""
        for name in ("integer_range", "float_range"):
            low, high = getattr(self, name)
            object.__setattr__(self, name, (low, high))

    def range_of(self, kind: SampleKind) -> SampleRange:
        """Return the values that become black and white in images of this kind."""
        return self.float_range if kind == "float" else self.integer_range

    def with_range(self, kind: SampleKind, values: SampleRange) -> "ImageReading":
        """Return the same with another range of one kind."""
        if kind == "float":
            return replace(self, float_range=values)
        return replace(self, integer_range=values)

    def write(self, folder: Path) -> None:
        """Write it into a folder of images that are read this way."""
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / READING_FILE, json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "ImageReading":
        """Return what `write` put there; the defaults where another program made the folder."""
        path = folder / READING_FILE
        if not path.is_file():
            return DEFAULT_READING
        return cls(**json.loads(path.read_text(encoding="utf-8")))


DEFAULT_READING = ImageReading()
