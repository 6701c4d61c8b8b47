"""The worst mistakes are shown as the run has read their images."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from contracts.artifacts.evaluation import PREDICTIONS_FILE
from contracts.images.reading import ImageReading
from contracts.system.storage.remote_path import RemotePath
from pipeline.report.mistakes import Mistake, worst_mistakes


def mistake(folder: Path, reading: ImageReading) -> Mistake:
    """Return the one mistake in a test split of one image, which is white in 12 of 16 bits."""
    Image.fromarray(np.full((8, 8), 4095, np.uint16)).save(folder / "white.png")
    row = {"path": ["white.png"], "label": ["a"], "predicted": ["b"], "score": [0.9]}
    pq.write_table(pa.table(row), folder / PREDICTIONS_FILE)
    (found,) = worst_mistakes(folder, folder, reading)
    return found


def test_a_mistake_is_shown_as_the_run_has_read_it(tmp_path: Path) -> None:
    found = mistake(tmp_path, ImageReading(integer_range=(0, 4095)))
    assert (found.label, found.predicted) == ("a", "b")
    assert found.thumbnail is not None
    jpeg = base64.b64decode(found.thumbnail.partition(",")[2])
    assert np.asarray(Image.open(io.BytesIO(jpeg))).min() > 250


def test_a_picture_that_cannot_be_read_any_more_is_left_out(tmp_path: Path) -> None:
    assert mistake(tmp_path, ImageReading(integer_range=(0, 255))).thumbnail is None


def test_a_picture_in_an_object_store_is_shown_too(tmp_path: Path, s3_bucket: Any) -> None:
    reading = ImageReading(integer_range=(0, 4095))
    local = mistake(tmp_path, reading)
    s3_bucket.upload_file(str(tmp_path / "white.png"), "photos/white.png")
    assert worst_mistakes(tmp_path, RemotePath("s3://images/photos"), reading) == [local]
    assert local.thumbnail is not None
