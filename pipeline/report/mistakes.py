"""The test images that a model got wrong with the most confidence."""

import io
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.artifacts.evaluation import PREDICTIONS_FILE
from contracts.images.canonical import canonicalise
from contracts.images.reading import ImageReading
from contracts.images.refusal import UnreadableImage
from contracts.system.storage import objects
from contracts.system.storage.remote_path import RemotePath, Root
from pipeline.report.thumbnails import data_uri

SHOWN = 24


@dataclass(frozen=True)
class Mistake:
    """A wrong prediction, with the picture where its file can still be read."""

    path: str
    label: str
    predicted: str
    score: float
    thumbnail: str | None  # data URI


def worst_mistakes(evaluation: Path, data_root: Root, reading: ImageReading) -> list[Mistake]:
    """Return the wrong predictions with the highest scores, highest first.

    Args:
      evaluation: the folder of a ModelEvaluation.
      data_root: the folder that the paths of the images are relative to.
      reading: how the run has read the images.
    """
    columns = ["path", "label", "predicted", "score"]
    table = pq.read_table(evaluation / PREDICTIONS_FILE, columns=columns)
    wrong = table.filter(pc.not_equal(table["label"], table["predicted"]))
    worst = wrong.sort_by([("score", "descending"), ("path", "ascending")]).slice(0, SHOWN)
    return [
        Mistake(**row, thumbnail=_thumbnail(data_root / row["path"], reading))
        for row in worst.to_pylist()
    ]


def _thumbnail(path: Root, reading: ImageReading) -> str | None:
    """Return the picture as a data URI; None where the file can no longer be read."""
    from PIL import Image

    try:
        raw = objects.read(str(path)) if isinstance(path, RemotePath) else path.read_bytes()
        image = Image.open(io.BytesIO(canonicalise(raw, reading).encoded))
    except (OSError, UnreadableImage):
        return None
    return data_uri(image)
