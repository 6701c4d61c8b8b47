"""Image files that a user names -> the canonical bytes that a model takes."""

from collections.abc import Iterable
from pathlib import Path

from contracts.images.canonical import canonicalise
from contracts.images.reading import ImageReading
from contracts.images.refusal import UnreadableImage
from contracts.system.errors import InputError


def read_image_files(paths: Iterable[Path], reading: ImageReading) -> list[bytes]:
    """Return the canonical bytes of every file, in order.

    Args:
      paths: the files.
      reading: how the images of the model's training were read; it lies inside the model.

    Raises:
      InputError: a sentence for each file that cannot be read, or holds no image.
    """
    images, problems = [], []
    for path in paths:
        try:
            images.append(canonicalise(path.read_bytes(), reading).encoded)
        except OSError as error:
            problems.append(f"{path}: expected an image file, received: {error.strerror}.")
        except UnreadableImage as error:
            problems.append(f"{path}: expected an image, received: {error}.")
    if problems:
        raise InputError(problems)
    return images
