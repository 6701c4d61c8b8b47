"""Objects in Google Cloud Storage: the real client, against a server of this test."""

import errno
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from contracts.system.storage import objects

CONTENT = {"photos/a/1.jpg": b"content", "photos/a/2.jpg": b"", "other/3.jpg": b"x"}


class Handler(BaseHTTPRequestHandler):
    """The part of the JSON API that lists and reads the bucket `images`, an object a page."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        options = parse_qs(address.query)
        _, _, rest = address.path.partition("/b/")
        bucket, _, name = rest.partition("/o")
        if bucket == "closed":
            self.answer(403, b"no access")
        elif bucket != "images":
            self.answer(404, b"no such bucket")
        elif not name:
            self.answer(200, self.page(options))
        else:
            self.give(CONTENT.get(unquote(name.removeprefix("/"))))

    def page(self, options: dict[str, list[str]]) -> bytes:
        names = [name for name in sorted(CONTENT) if name.startswith(options["prefix"][0])]
        number = int(options.get("pageToken", ["0"])[0])
        items = [
            {"name": name, "size": str(len(CONTENT[name])), "updated": "2024-01-01T00:00:00.5Z"}
            for name in names[number : number + 1]
        ]
        more = {"nextPageToken": str(number + 1)} if number + 1 < len(names) else {}
        return json.dumps({"items": items, **more}).encode()

    def give(self, content: bytes | None) -> None:
        _, _, span = self.headers.get("Range", "").partition("=")
        if content is None:
            self.answer(404, b"no such object")
        elif span and not content:
            self.answer(416, b"no such range")
        elif span:
            self.answer(206, content[: int(span.partition("-")[2]) + 1])
        else:
            self.answer(200, content)

    def answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    objects.store_of.cache_clear()
    yield
    server.shutdown()
    server.server_close()
    thread.join()
    objects.store_of.cache_clear()


def test_a_listing_gives_what_begins_with_the_prefix_over_all_pages() -> None:
    found = list(objects.objects("gs://images/photos/"))
    assert [(one.name, one.size) for one in found] == [("photos/a/1.jpg", 7), ("photos/a/2.jpg", 0)]
    assert {one.modified_ns for one in found} == {1704067200_500000000}


def test_an_object_is_read_whole_in_part_and_into_a_file() -> None:
    address = "gs://images/photos/a/1.jpg"
    assert objects.read(address) == b"content"
    assert objects.first_bytes(address, 3) == b"con"
    file = io.BytesIO()
    objects.copy(address, file)
    assert file.getvalue() == b"content"
    empty = "gs://images/photos/a/2.jpg"
    assert objects.read(empty) == objects.first_bytes(empty, 3) == b""


def test_what_is_not_there_or_closed_is_an_error_of_the_file() -> None:
    with pytest.raises(FileNotFoundError):
        objects.read("gs://images/gone")
    with pytest.raises(FileNotFoundError):
        list(objects.objects("gs://nobody/photos/"))
    with pytest.raises(PermissionError):
        objects.read("gs://closed/a")


def test_missing_credentials_are_trouble_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with pytest.raises(OSError, match=r"nowhere\.json") as caught:
        objects.read("gs://images/a")
    assert caught.value.errno == errno.EREMOTEIO
