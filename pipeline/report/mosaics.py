"""The pictures of augmentation that a report carries inside itself."""

from pathlib import Path

from PIL import Image

from components.augmenter.report import BATCH, read_augmentation
from pipeline.report.thumbnails import data_uri


def mosaics_in(uri: str) -> list[tuple[str, str]]:
    """Return name and address of each picture, the whole batch first.

    Raises:
      OSError: one of them is gone.
    """
    files = read_augmentation(uri).mosaics
    order = sorted(files, key=lambda name: name != BATCH)
    pictures = []
    for name in order:
        with Image.open(Path(uri, files[name])) as picture:
            shown = "a training batch" if name == BATCH else name
            pictures.append((shown, data_uri(picture, picture.size)))
    return pictures
