"""The pictures of augmentation, as parts of a page."""

from pathlib import Path

from PIL import Image

from contracts.artifacts.augmentation_report import BATCHES, read_augmentation
from pipeline.report.thumbnails import data_uri

_SHOWN = {
    **{name: f"whole training batch {number}" for number, name in enumerate(BATCHES, 1)},
    "rand_augment": "RandAugment",
    "mixup": "MixUp",
    "cutmix": "CutMix",
}


def mosaics_in(uri: str) -> list[tuple[str, str]]:
    """Return name and address of each picture, the whole batches first.

    Raises:
      OSError: one of them is gone.
    """
    files = read_augmentation(uri).mosaics
    order = sorted(files, key=lambda name: name not in BATCHES)
    pictures = []
    for name in order:
        with Image.open(Path(uri, files[name])) as picture:
            pictures.append((_SHOWN.get(name, name), data_uri(picture, picture.size)))
    return pictures
