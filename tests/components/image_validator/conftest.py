"""Pictures made in code, ingested and measured without TFX."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.image_validator.measured_images import MeasuredImages, measures_path
from components.image_validator.shard_measures import measure_shard
from contracts.artifacts import features
from contracts.artifacts.tf_example import serialise
from contracts.artifacts.tf_record import record_writer
from contracts.images.canonical import canonicalise
from tests.conftest import encoded

# path, label, split, picture
Row = tuple[str, str, str, Image.Image | bytes]
MakePictures = Callable[[list[Row]], MeasuredImages]


def photo(seed: int, size: tuple[int, int] = (120, 160)) -> Image.Image:
    """Return a picture with structure at every scale, as photos have it; another for each seed."""
    generator = np.random.default_rng(seed)
    canvas = np.zeros((*size[::-1], 3))
    for cells in (3, 9, 27, 81):
        noise = generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        sampling = Image.Resampling.NEAREST if cells == 9 else Image.Resampling.BICUBIC
        layer = Image.fromarray(noise).resize(size, sampling)
        canvas += np.asarray(layer, dtype=float) / cells**0.5
    canvas -= canvas.min()
    return Image.fromarray((canvas * (255 / canvas.max())).astype(np.uint8))


def record(path: str, label: str, picture: Image.Image | bytes) -> bytes:
    """Return the serialised example of a picture."""
    raw = picture if isinstance(picture, bytes) else encoded(picture)
    image = canonicalise(raw)
    digest = hashlib.sha256(raw).hexdigest()
    return serialise(
        {
            features.ENCODED: image.encoded,
            features.LABEL: label.encode(),
            features.PATH: path.encode(),
            features.SHA256: digest.encode(),
            features.WIDTH: image.width,
            features.HEIGHT: image.height,
        }
    )


def write_shard(examples: Path, split: str, rows: list[Row]) -> Path:
    """Write the examples of a split as one shard."""
    shard = examples / f"Split-{split}" / "data_tfrecord-00000"
    with record_writer(shard) as writer:
        for path, label, _, picture in rows:
            writer.write(record(path, label, picture))
    return shard


@pytest.fixture
def make_pictures(tmp_path: Path) -> MakePictures:
    """Return a function that ingests and measures pictures."""

    def make(rows: list[Row]) -> MeasuredImages:
        examples, measures = tmp_path / "examples", tmp_path / "measures"
        for split in {row[2] for row in rows}:
            shard = write_shard(examples, split, [row for row in rows if row[2] == split])
            target = measures_path(str(measures), f"{shard.parent.name}/{shard.name}")
            target.parent.mkdir(parents=True)
            measure_shard(shard, target, lambda _: None)
        return MeasuredImages(str(measures), str(examples))

    return make
