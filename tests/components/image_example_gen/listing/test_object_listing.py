"""Images in an object store, read from a real S3 server on this machine."""

import errno
import json
import time
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from components.image_example_gen.ingestion import (
    IngestionTarget,
    decode_limits,
    ingest_dataset,
    ingest_shards,
)
from components.image_example_gen.listing.digest import listing_digest
from components.image_example_gen.listing.entries import ImageFile
from components.image_example_gen.listing.file_index import FileIndex
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.reading.file_bytes import Quarantined, read_bytes, read_files
from contracts.artifacts.manifest.rows import read_rows
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import open_pool
from contracts.images.reading import DEFAULT_READING
from contracts.system.errors import DataError
from contracts.system.storage import objects
from contracts.system.storage.remote_path import RemotePath


@pytest.fixture(autouse=True)
def bucket(image_folder: Path, s3_bucket: Any) -> Any:
    """A bucket with the image folder at `photos/`, and something else beside it."""
    for path in image_folder.rglob("*.*"):
        name = f"photos/{path.relative_to(image_folder).as_posix()}"
        s3_bucket.put_object(Key=name, Body=path.read_bytes())
    s3_bucket.put_object(Key="photos/dog/", Body=b"")
    s3_bucket.put_object(Key="photos-of-others/cat/1.jpg", Body=b"x")
    return s3_bucket


def digest(layout: Layout) -> str:
    FileIndex(layout).read_unknown()
    return listing_digest(layout)


def at(root: str, **options: Any) -> Layout:
    return read_layout(DataConfig.model_validate({"root": root, **options}))


def test_a_root_in_a_store_is_an_address_and_stays_one() -> None:
    data = DataConfig.model_validate_json('{"root": "s3://images/photos/"}')
    assert isinstance(data.root, RemotePath)
    assert str(data.root) == "s3://images/photos"
    assert json.loads(data.model_dump_json())["root"] == "s3://images/photos"
    assert str(data.root.parent / "a.csv") == "s3://images/a.csv"
    assert DataConfig.model_validate_json(data.model_dump_json()) == data


def test_the_same_files_have_the_same_digest_in_a_store_and_on_disk(
    bucket: Any, image_folder: Path
) -> None:
    bucket.put_object(Key="photos/cat/.hidden", Body=b"x")
    (image_folder / "cat" / ".hidden").write_bytes(b"x")
    layout, local = at("s3://images/photos"), read_layout(DataConfig(root=image_folder))
    assert list(layout.files) == list(local.files)
    assert list(layout.skipped) == list(local.skipped)
    assert layout.description == local.description
    assert layout.catalogue.count_to_ingest() == local.catalogue.count_to_ingest()
    assert digest(layout) == digest(local)


def test_what_has_not_changed_is_not_read_again(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.image_example_gen.listing.file_index.SETTLED_NS", -(10**10))
    index = FileIndex(at("s3://images/photos"), tmp_path / "files.index")
    index.read_unknown()
    index.write()
    assert FileIndex(at("s3://images/photos"), tmp_path / "files.index").unknown == 0
    bucket.put_object(Key="photos/cat/000.jpg", Body=b"another content")
    assert FileIndex(at("s3://images/photos"), tmp_path / "files.index").unknown == 1


def test_a_table_in_a_store_names_files_beside_it(bucket: Any) -> None:
    table = "path,label,split\ncat/000.jpg,a,train\n./dog/001.jpg,b,test\ngone.jpg,b,\n"
    bucket.put_object(Key="photos/table.csv", Body=table.encode())
    layout = at("s3://images/photos/table.csv")
    assert list(layout.files) == [
        ImageFile("cat/000.jpg", "a", "train"),
        ImageFile("dog/001.jpg", "b", "test"),
    ]
    assert layout.catalogue.skip_reasons() == {"no_row": 78, "no_such_file": 1}


def test_a_table_in_a_store_finds_objects_in_either_form_of_unicode(bucket: Any) -> None:
    composed, decomposed = "caf\u00e9.jpg", "cafe\u0301.jpg"
    bucket.put_object(Key=f"table/{decomposed}", Body=b"x")
    bucket.put_object(Key="table/a.csv", Body=f"path,label\n{composed}\u00a0,{composed}\n".encode())
    layout = at("s3://images/table/a.csv")
    assert list(layout.files) == [ImageFile(decomposed, composed, None)]
    assert list(layout.skipped) == []


def put(bucket: Any, *names: str, content: bytes = b"\xff\xd8\xff\xe0\0\x10JFIF") -> None:
    for name in names:
        bucket.put_object(Key=f"repository/{name}", Body=content)


def test_a_store_is_searched_for_splits_and_for_folders_without_images(bucket: Any) -> None:
    put(bucket, "Training/cat/1", "Training/dog/2", "test_set/cat/3", "test_set/dog/4")
    put(bucket, "logs/log.txt", "logs/empty.txt", "train.py", content=b"epoch 1")
    put(bucket, "__pycache__/a.pyc", content=b"")
    layout = at("s3://images/repository")
    assert (layout.labels, layout.splits) == (["cat", "dog"], ["train", "test"])
    assert layout.catalogue.skip_reasons() == {
        "folder_without_images": 3,
        "outside_class_folder": 1,
    }
    assert layout.description.endswith("Folders without images: __pycache__, logs.")
    put(bucket, "runs/batch0.jpg")
    assert "received runs/ (1 file)" in refused("s3://images/repository")


def test_an_object_that_has_vanished_is_a_reason_and_an_empty_one_is_empty(bucket: Any) -> None:
    root = RemotePath("s3://images/photos")
    bucket.put_object(Key="photos/cat/empty.jpg", Body=b"")
    assert read_bytes(root, ImageFile("cat/empty.jpg", "cat"), DEFAULT_READING) == b""
    with pytest.raises(Quarantined) as caught:
        read_bytes(root, ImageFile("cat/gone.jpg", "cat"), DEFAULT_READING)
    assert caught.value.reason == "vanished"


def refused(root: str) -> str:
    with pytest.raises(DataError) as caught:
        at(root)
    return str(caught.value)


def test_what_is_not_there_is_a_sentence(bucket: Any) -> None:
    assert "s3://nobody/photos" in refused("s3://nobody/photos")
    assert "s3://images/nothing" in refused("s3://images/nothing")


def test_missing_credentials_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    assert "Unable to locate credentials" in refused("s3://images/photos")


def test_objects_are_ingested_as_files_are(bucket: Any, image_folder: Path, tmp_path: Path) -> None:
    bucket.put_object(Key="photos/cat/broken.jpg", Body=b"broken")
    (image_folder / "cat" / "broken.jpg").write_bytes(b"broken")
    rows = []
    for number, root in enumerate(("s3://images/photos", str(image_folder))):
        data = DataConfig.model_validate({"root": root})
        target = IngestionTarget(
            *(str(tmp_path / f"{key}{number}") for key in ("examples", "manifest")), ""
        )
        with open_pool(2, decode_limits(data)) as pool:
            ingest_dataset(
                read_layout(data), data, pool, target, lambda *job: ingest_shards(pool, *job)
            )
        rows.append(sorted(read_rows(target.manifest_uri).to_pylist(), key=itemgetter("path")))
    assert rows[0] == rows[1]
    assert len(rows[0]) == 81


def test_objects_are_given_in_order_and_not_too_many_are_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def read(address: str) -> bytes:
        asked.append(address)
        time.sleep(0.02 if address.endswith("/0") else 0)
        return address.encode()

    monkeypatch.setattr(objects, "read", read)
    root, files = RemotePath("s3://images"), [ImageFile(str(n), "a") for n in range(200)]
    found = read_files(root, files, DEFAULT_READING, [8 << 20] * 200)
    assert next(found) == b"s3://images/0"
    assert len(asked) <= 5  # of 8 MiB each
    assert list(found) == [f"s3://images/{n}".encode() for n in range(1, 200)]


def test_a_store_in_trouble_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(address: str) -> bytes:
        raise OSError(errno.EREMOTEIO, "Service Unavailable", address)

    monkeypatch.setattr(objects, "read", read)
    with pytest.raises(OSError, match="Service Unavailable"):
        list(read_files(RemotePath("s3://images"), [ImageFile("a", "a")], DEFAULT_READING))
