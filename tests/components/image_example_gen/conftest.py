from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def image_folder(tmp_path: Path, write_image: Callable[..., Path]) -> Path:
    """An image folder of 2 classes with 40 images each, all different."""
    root = tmp_path / "images"
    for index in range(80):
        write_image(root / ("cat", "dog")[index % 2] / f"{index:03}.jpg", seed=index)
    return root
