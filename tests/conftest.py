import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]


def encoded(image: Image.Image | np.ndarray, image_format: str = "PNG", **options: Any) -> bytes:
    """Return a picture, or its pixels, as a file."""
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


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
        generator = np.random.default_rng(seed)
        coarse = Image.fromarray(generator.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize(size, Image.Resampling.BICUBIC).convert(mode).save(path, **options)
        return path

    return write


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Give the address of an S3 server on this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give an empty bucket `images` of the server that the environment names."""
    import boto3

    from contracts.system.storage.objects import store_of

    store_of.cache_clear()  # the client of another test has other credentials
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = boto3.resource("s3").create_bucket(Bucket="images")
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()
    store_of.cache_clear()
