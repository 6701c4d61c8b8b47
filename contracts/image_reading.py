"""How images are read and which are refused: part of what a model was trained on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.whole_files import write_whole

READING_FILE = "image_reading.json"  # beside examples, and inside a model


@dataclass(frozen=True)
class ImageReading:
    """What `image_bytes.canonicalise` needs to know besides the bytes.

    `background` is what transparency is laid on, as "#rrggbb". `max_pixels` is the size at which
    Pillow warns of a bomb. `max_aspect` is of the longer side to the shorter. `integer_range` and
    `float_range` are the values that become black and white, of images with integers of more than
    8 bits and of images with floating-point numbers: the same for all images of a data set.
    """

    background: str = "#ffffff"
    max_bytes: int = 1 << 30
    max_pixels: int = 89_478_485
    max_aspect: float = 1000.0
    integer_range: tuple[float, float] = (0.0, 65535.0)
    float_range: tuple[float, float] = (0.0, 1.0)

    def write(self, folder: Path) -> None:
        """Put it into a folder whose images were read so, or are to be."""
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / READING_FILE, json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "ImageReading":
        """Return what `write` put there; the defaults where another program made the folder."""
        path = folder / READING_FILE
        if not path.is_file():
            return DEFAULT_READING
        record = json.loads(path.read_text(encoding="utf-8"))
        for name in ("integer_range", "float_range"):  # JSON has no tuples
            if name in record:
                record[name] = tuple(record[name])
        return cls(**record)


DEFAULT_READING = ImageReading()
