"""Generated image folders for the benchmark, kept for the next time."""

import io
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = 10
IMAGES_A_TASK = 500
QUALITY = 90


@dataclass(frozen=True)
class ImageKind:
    """Size and detail of the images of a folder."""

    name: str
    width: int
    height: int
    blocks: int  # of one colour, along a side; they set the size of the JPEG file


SMALL = ImageKind("small", 32, 32, 4)
PHOTO = ImageKind("photo", 400, 533, 24)


def image_folder(kind: ImageKind, count: int, parent: Path) -> Path:
    """Return a folder `<class>/<number>.jpg` of so many images; made only if it is missing."""
    folder = parent / f"{kind.name}-{count}"
    if not folder.is_dir():
        partial_folder = parent / f".{folder.name}.partial"
        shutil.rmtree(partial_folder, ignore_errors=True)
        add_images(kind, range(count), partial_folder)
        partial_folder.rename(folder)
    return folder


def add_images(kind: ImageKind, numbers: range, folder: Path) -> None:
    """Write the images with these numbers; the same number gives the same image everywhere."""
    for label in range(CLASSES):
        (folder / f"class{label}").mkdir(parents=True, exist_ok=True)
    tasks = [
        numbers[first : first + IMAGES_A_TASK] for first in range(0, len(numbers), IMAGES_A_TASK)
    ]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as processes:
        list(processes.map(partial(_write, kind, folder), tasks))


def _write(kind: ImageKind, folder: Path, numbers: range) -> None:
    for number in numbers:
        label = number % CLASSES
        path = folder / f"class{label}" / f"{number}.jpg"
        path.write_bytes(_jpeg(kind, number, label))


def _jpeg(kind: ImageKind, number: int, label: int) -> bytes:
    """Return an image whose brightness depends on its class."""
    rng = np.random.default_rng(number)
    low = label * 12
    blocks = rng.integers(low, low + 128, (kind.blocks, kind.blocks, 3), dtype=np.uint8)
    image = Image.fromarray(blocks).resize((kind.width, kind.height), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
