import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images: IMGPIPE_REAL_DATA, or shared/data beside the repository."""
    folder = Path(os.environ.get("IMGPIPE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real images at {folder}: set IMGPIPE_REAL_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def write_image() -> Callable[..., Path]:
    """Return `write(path, seed=0, size=(32, 24), mode="RGB", **options)`.

    It writes a smooth image, another one for every seed, in the format of the path's ending or
    of the option `format`, and makes the folders that it needs.
    """

    def write(
        path: Path,
        seed: int = 0,
        size: tuple[int, int] = (32, 24),
        mode: str = "RGB",
        **options: Any,
    ) -> Path:
        from PIL import Image

        generator = np.random.default_rng(seed)
        coarse = Image.fromarray(generator.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize(size, Image.Resampling.BICUBIC).convert(mode).save(path, **options)
        return path

    return write
