"""A transformed data set that a small network learns in seconds."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from contracts.config import PreprocessingConfig
from trainer.data import ImageDataset, transformed_example

SIZE_PX = 16
COUNTS = {"train": 96, "validation": 24, "test": 24}


def stripes(label: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise with horizontal (0) or vertical (1) stripes, uint8 [SIZE_PX, SIZE_PX, 3]."""
    pixels = rng.integers(0, 60, (SIZE_PX, SIZE_PX, 3))
    pixels[::4] += 120
    return (pixels if label == 0 else pixels.transpose(1, 0, 2)).astype(np.uint8)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> ImageDataset:
    """Return two classes of stripes in three splits."""
    root = tmp_path_factory.mktemp("transformed")
    rng = np.random.default_rng(0)
    for split, count in COUNTS.items():
        folder = Path(root, f"Split-{split}")
        folder.mkdir()
        with tf.io.TFRecordWriter(str(folder / "data-00000-of-00001")) as writer:
            for index in range(count):
                pixels = stripes(index % 2, rng).tobytes()
                writer.write(transformed_example(pixels, index % 2, b"", str(index).encode()))
    made = ImageDataset(
        str(root), ("horizontal", "vertical"), PreprocessingConfig(image_size_px=SIZE_PX), COUNTS
    )
    made.write()
    return made
