"""The images that the user chose, read and resized as the data was."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from contracts.images.canonical import canonicalise
from contracts.images.refusal import UnreadableImage
from trainer.array_types import FloatArray
from trainer.pictures.picture import CannotDraw

if TYPE_CHECKING:
    from contracts.artifacts.image_dataset import ImageDataset


def chosen_pixels(files: Sequence[Path], dataset: "ImageDataset") -> list[FloatArray]:
    """Return each image, float32 [size, size, 3] in 0..255, read and resized as the data was.

    Raises:
      CannotDraw: one of them cannot be read, or there is no TensorFlow to resize it.
    """
    if not files:
        return []
    try:
        from trainer.preprocessing import decode_and_resize
    except ModuleNotFoundError as error:
        raise CannotDraw(
            "explanation.images.chosen: expected TensorFlow, which resizes images as the data was, "
            f"received none ({error}). Leave them out, or install it."
        ) from error
    pixels = []
    for number, file in enumerate(files):
        try:
            encoded = canonicalise(file.read_bytes(), dataset.reading).encoded
        except (OSError, UnreadableImage) as error:
            raise CannotDraw(
                f"explanation.images.chosen[{number}]: expected an image, received {file} "
                f"({error}). Take it out, or name another one."
            ) from error
        pixels.append(np.asarray(decode_and_resize(encoded, dataset.preprocessing), np.float32))
    return pixels
