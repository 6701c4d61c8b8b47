"""A transformed data set that a small network learns in seconds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from contracts.artifacts.image_dataset import ImageDataset, transformed_example
from contracts.artifacts.tf_record import record_writer
from contracts.config.preprocessing import PreprocessingConfig
from trainer.batches import evaluation_arrays
from trainer.training import construction

SIZE_PX = 16
COUNTS = {"train": 96, "validation": 24, "test": 24}


def stripes(label: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise with horizontal (0) or vertical (1) stripes, uint8 [SIZE_PX, SIZE_PX, 3]."""
    pixels = rng.integers(0, 60, (SIZE_PX, SIZE_PX, 3))
    pixels[::4] += 120
    return (pixels if label == 0 else pixels.transpose(1, 0, 2)).astype(np.uint8)


def write_dataset(root: Path, counts: dict[str, tuple[int, int]]) -> ImageDataset:
    """Write two classes of stripes, so many of each in each split."""
    rng = np.random.default_rng(0)
    splits = {}
    for split, (horizontal, vertical) in counts.items():
        labels = rng.permutation([0] * horizontal + [1] * vertical)
        splits[split] = [(stripes(label, rng), label) for label in labels.tolist()]
    return write_images(root, ("horizontal", "vertical"), splits)


def write_images(
    root: Path,
    labels: tuple[str, ...],
    splits: dict[str, list[tuple[np.ndarray, int]]],
    size_px: int = SIZE_PX,
) -> ImageDataset:
    """Write pixels, uint8 [size_px, size_px, 3], each with the index of its label."""
    for split, images in splits.items():
        with record_writer(Path(root, f"Split-{split}", "data-00000-of-00001")) as writer:
            for number, (pixels, label) in enumerate(images):
                path = str(number).encode()
                writer.write(transformed_example(pixels.tobytes(), label, b"", path))
    counts = {
        split: tuple(sum(label == one for _, label in images) for one in range(len(labels)))
        for split, images in splits.items()
    }
    preprocessing = PreprocessingConfig(image_size_px=size_px)
    dataset = ImageDataset(str(root), labels, preprocessing, counts)
    dataset.write()
    return dataset


def arrays(dataset: ImageDataset, split: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the pixels and the one-hot labels of a split, batch by batch."""
    return list(evaluation_arrays(dataset, split, 24))


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> ImageDataset:
    """Return two classes of stripes in three splits."""
    counts = {split: (count // 2, count // 2) for split, count in COUNTS.items()}
    return write_dataset(tmp_path_factory.mktemp("transformed"), counts)


@pytest.fixture(scope="session")
def copies(tmp_path_factory) -> ImageDataset:
    """Return further training examples of one class, as the Augmenter makes them."""
    counts = {"train": (16, 0), "validation": (0, 0), "test": (0, 0)}
    made = write_dataset(tmp_path_factory.mktemp("copies"), counts)
    augmented = replace(made, is_augmented=True)
    augmented.write()
    return augmented


@pytest.fixture
def two_steps_at_once(monkeypatch) -> None:
    """Have Keras return to Python after every second step: an epoch is few steps here."""
    monkeypatch.setattr(construction, "STEPS_PER_EXECUTION", 2)


@pytest.fixture
def float32_afterwards() -> Iterator[None]:
    """Have the test leave Keras with the number format that it found."""
    yield
    keras.config.set_dtype_policy("float32")
