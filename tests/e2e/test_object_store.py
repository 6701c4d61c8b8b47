"""A run on images in an object store: it ingests them, and recognises that nothing changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import imgpipe

CONFIG = "name: toys\ndata:\n  root: s3://images/photos\nbeam: {decode_processes: 2}\n"
TO_EXAMPLES = ("run", "--json", "--to", "ImageExampleGen")


@pytest.fixture
def bucket(s3_bucket: Any, write_image: Callable[..., Path], tmp_path: Path) -> Any:
    for number in range(60):
        name = f"photos/{'cat' if number % 2 else 'dog'}/{number}.jpg"
        path = write_image(tmp_path / "source" / name, seed=number)
        s3_bucket.put_object(Key=name, Body=path.read_bytes())
    return s3_bucket


def test_images_in_an_object_store_are_ingested_once(bucket: Any, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(CONFIG)
    checked = imgpipe("check", cwd=tmp_path)
    assert "s3://images/photos: The 2 top folders are classes" in checked.out, checked.err
    first = imgpipe(*TO_EXAMPLES, cwd=tmp_path)
    assert first.code == 0, first.err
    assert first.summary["data"]["ingested"] == 60
    again = imgpipe(*TO_EXAMPLES, cwd=tmp_path)
    assert again.summary["components"]["ImageExampleGen"]["cached"]
    bucket.put_object(Key="photos/cat/broken.jpg", Body=np.zeros(9, np.uint8).tobytes())
    grown = imgpipe(*TO_EXAMPLES, cwd=tmp_path)
    assert grown.summary["data"]["found"] == 61, grown.err
    assert grown.summary["data"]["quarantined"] == 1


def test_a_bucket_that_is_not_there_is_a_sentence(bucket: Any, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(CONFIG.replace("images", "nowhere"))
    refused = imgpipe("check", cwd=tmp_path)
    assert refused.code == 2
    assert "data.root: s3://nowhere/photos cannot be listed" in refused.err
    assert "Traceback" not in refused.err
