"""Objects in S3, read from a real S3 server on this machine."""

import errno
import io
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.system.storage import objects


@pytest.fixture(autouse=True)
def bucket(s3_bucket: Any) -> Any:
    return s3_bucket


def test_a_listing_gives_what_begins_with_the_prefix_over_all_pages(bucket: Any) -> None:
    names = [f"photos/{number:04}.jpg" for number in range(1_005)]  # a page holds a thousand
    for name in [*names, "photos-of-others/1.jpg"]:
        bucket.put_object(Key=name, Body=b"12345")
    found = list(objects.objects("s3://images/photos/"))
    assert [one.name for one in found] == names
    assert {one.size for one in found} == {5}
    assert all(one.modified_ns > 0 for one in found)


def test_an_object_is_read_whole_in_part_and_into_a_file(bucket: Any) -> None:
    bucket.put_object(Key="a//b/../c", Body=b"content")  # no path keeps this name
    bucket.put_object(Key="empty", Body=b"")
    address = "s3://images/a//b/../c"
    assert objects.read(address) == b"content"
    assert objects.first_bytes(address, 3) == b"con"
    file = io.BytesIO()
    objects.copy(address, file)
    assert file.getvalue() == b"content"
    assert objects.read("s3://images/empty") == objects.first_bytes("s3://images/empty", 3) == b""


@pytest.mark.parametrize("address", ["s3://images/gone", "s3://nobody/gone"])
def test_what_is_not_there_is_a_missing_file(address: str) -> None:
    with pytest.raises(FileNotFoundError):
        objects.read(address)
    with pytest.raises(FileNotFoundError):
        objects.copy(address, io.BytesIO())


def test_missing_credentials_are_trouble_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(OSError, match="Unable to locate credentials") as caught:
        list(objects.objects("s3://images/photos/"))
    assert caught.value.errno == errno.EREMOTEIO


def test_a_store_that_does_not_answer_is_trouble_of_the_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="Could not connect to the endpoint") as caught:
        objects.read("s3://images/a")
    assert caught.value.errno == errno.EREMOTEIO


@pytest.fixture
def breaking_server() -> Iterator[tuple[str, list[int]]]:
    """Give the address of a server that breaks off, and how many answers it is to break off."""
    left, listener = [0], socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1 << 16)
                content = b"conten" if left[0] else b"content"
                left[0] -= bool(left[0])
                head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n"
                connection.sendall(head + content)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", left
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_an_answer_that_breaks_off_is_asked_for_again(
    breaking_server: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, breaks = breaking_server
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    breaks[0] = 2
    assert objects.read("s3://images/a") == b"content"
    breaks[0] = 9
    with pytest.raises(OSError) as caught:
        objects.read("s3://images/a")
    assert caught.value.errno == errno.EREMOTEIO
