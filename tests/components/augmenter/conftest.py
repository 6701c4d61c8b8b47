"""Handwritten digits, and transformed examples as ImageTransform writes them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from components.augmenter.probe_sample import ProbeSample
from contracts.artifacts.image_dataset import ImageDataset, transformed_example
from contracts.artifacts.tf_record import record_writer
from contracts.config.preprocessing import PreprocessingConfig

DIGITS = tuple("0123456789")


@pytest.fixture(scope="session")
def digits() -> ProbeSample:
    """Return 400 digits in random order, uint8 of 32 px."""
    read = load_digits()
    order = np.random.default_rng(0).permutation(len(read.images))[:400]
    grey = np.rint(read.images[order] / 16 * 255).astype(np.uint8)
    large = np.kron(grey, np.ones((1, 4, 4), np.uint8))
    return ProbeSample(np.repeat(large[..., None], 3, axis=-1), read.target[order].astype(np.int64))


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., ImageDataset]:
    """Return a function that writes images in two shards of the training split, others empty."""

    def make(folder: Path, sample: ProbeSample, labels: Sequence[str]) -> ImageDataset:
        for shard in range(2):
            path = folder / "Split-train" / f"data_tfrecord-{shard:05}-of-00002"
            with record_writer(path) as writer:
                for row in range(shard, len(sample), 2):
                    label = int(sample.classes[row])
                    name = f"{labels[label]}/{row}.png".encode()
                    pixels = sample.pixels[row].tobytes()
                    writer.write(transformed_example(pixels, label, b"", name))
        for split in ("validation", "test"):
            (folder / f"Split-{split}").mkdir()
        none = (0,) * len(labels)
        train = tuple(np.bincount(sample.classes, minlength=len(labels)).tolist())
        counts = {"train": train, "validation": none, "test": none}
        size = PreprocessingConfig(image_size_px=sample.pixels.shape[1])
        made = ImageDataset(str(folder), tuple(labels), size, counts, fingerprint="f")
        made.write()
        return made

    return make
