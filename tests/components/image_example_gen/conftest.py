from collections.abc import Callable
from pathlib import Path

import pytest

from components.image_example_gen.core import IngestionJob
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.shards import FileShard
from components.image_example_gen.splitting.splits import SplitPlan
from contracts.images.reading import DEFAULT_READING


def job_of(layout: Layout, target: Path, plan: SplitPlan) -> IngestionJob:
    """Return an ingestion into two folders of `target`."""
    examples, manifest = str(target / "examples"), str(target / "manifest")
    return IngestionJob(layout.root, examples, manifest, plan, DEFAULT_READING)


def whole_shard(layout: Layout) -> FileShard:
    """Return all files of a layout as one shard."""
    files = list(layout.files)
    return FileShard(0, files, [0] * len(files))


@pytest.fixture
def image_folder(tmp_path: Path, write_image: Callable[..., Path]) -> Path:
    """An image folder of 2 classes with 40 images each, all different."""
    root = tmp_path / "images"
    for index in range(80):
        write_image(root / ("cat", "dog")[index % 2] / f"{index:03}.jpg", seed=index)
    return root
