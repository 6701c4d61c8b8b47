"""Objects in stores such as S3 and Google Cloud Storage, through Beam's filesystems.

Imported only where `data.root` is such a place.
"""

import errno
import io
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from queue import Empty, Full, Queue
from typing import IO, Any

from apache_beam.io.aws.clients.s3.boto3_client import Client
from apache_beam.io.aws.clients.s3.messages import GetRequest, ListRequest, S3ClientError
from apache_beam.io.aws.s3io import parse_s3_path
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from components.image_example_gen.listing.catalogue import Stamp
from contracts.system.errors import DataError
from contracts.system.remote_path import RemotePath

# Longer than a page of a listing takes, and shorter than Beam's and boto3's own retries.
ANSWER_TIMEOUT_S = 60.0
_OBJECTS_AHEAD = 4_096
_NEXT_STEPS = (
    "Check the name, the credentials and the network; for S3 AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY, for Google Cloud Storage the application default credentials."
)
_CODES = {404: errno.ENOENT, 401: errno.EACCES, 403: errno.EACCES}
EMPTY_RANGE = 416  # what S3 says of the first byte of an empty object
_per_thread = threading.local()


def read(address: str) -> bytes:
    """Return an object.

    Raises:
      OSError: it cannot be read: ENOENT and EACCES are of this object, EREMOTEIO of the store.
    """
    with _opened(address) as opened:
        content: bytes = opened.read()
        return content


def copy(address: str, file: IO[bytes]) -> None:
    """Write an object to an open file; not more than a block of it is in memory.

    Raises:
      OSError: as `read` does.
    """
    with _opened(address) as opened:
        shutil.copyfileobj(opened, file)


def first_bytes(address: str, count: int) -> bytes:
    """Return the beginning of an object.

    Raises:
      OSError: as `read` does.
    """
    with _opened(address) as opened:
        first: bytes = opened.read(count)
        return first


@contextmanager
def _opened(address: str) -> Iterator[IO[bytes]]:
    try:
        with closing(_stream(address)) as opened:
            yield opened
    except Exception as error:
        raise _os_error(error, address) from error


def _stream(address: str) -> Any:
    if not address.startswith("s3://"):
        return FileSystems.open(address, compression_type=CompressionTypes.UNCOMPRESSED)
    # By Beam's client itself: its filesystem would ask twice for every object, and go on asking
    # for minutes where there are no credentials.
    bucket, name = parse_s3_path(address)
    try:
        return _s3().get_stream(GetRequest(bucket, name), 0)
    except S3ClientError as error:
        if error.code == EMPTY_RANGE:
            return io.BytesIO()
        raise


def objects(root: RemotePath) -> Iterator[tuple[str, Stamp]]:
    """Give what lies below `root`, by its path below it, with what the store says of it.

    A few thousand entries at a time are in memory.

    Raises:
      DataError: the store does not give the listing, or says nothing for a minute.
    """
    prefix = f"{root}/"
    for address, size, seconds in _in_time(root, prefix):
        if not address.endswith("/"):  # which stands for a folder
            moment_ns = int(seconds * 10**9)
            yield address[len(prefix) :], Stamp(size, moment_ns, moment_ns, 0)


def _in_time(root: RemotePath, prefix: str) -> Iterator[Any]:
    """Give the entries of Beam's listing while these keep coming.

    Beam and what lies below it try again for many minutes, and cannot be told not to.
    """
    entries: Queue[Any] = Queue(_OBJECTS_AHEAD)
    is_given_up = threading.Event()

    def put(entry: Any) -> None:
        while not is_given_up.is_set():
            try:
                entries.put(entry, timeout=1)
                return
            except Full:
                continue

    def walk() -> None:
        try:
            for entry in _listing(prefix):
                put(entry)
                if is_given_up.is_set():
                    return
            put(None)
        except Exception as error:
            put(error)

    threading.Thread(target=walk, name="listing", daemon=True).start()
    try:
        while True:
            try:
                entry = entries.get(timeout=ANSWER_TIMEOUT_S)
            except Empty:
                raise DataError(
                    f"data.root: {root} gave no answer for {ANSWER_TIMEOUT_S:g} s. {_NEXT_STEPS}"
                ) from None
            if entry is None:
                return
            if isinstance(entry, Exception):
                raise DataError(
                    f"data.root: {root} cannot be listed ({_said(entry)}). {_NEXT_STEPS}"
                ) from entry
            yield entry
    finally:
        is_given_up.set()


def _listing(prefix: str) -> Iterator[tuple[str, int, float]]:
    """Give address, bytes and time in seconds of everything whose address begins so.

    S3 is asked by Beam's client itself: its filesystem would remember every name, and try for
    minutes where there are no credentials.
    """
    if not prefix.startswith("s3://"):
        for one in FileSystems.get_filesystem(prefix)._list(prefix):
            yield one.path, one.size_in_bytes, one.last_updated_in_seconds or 0.0
        return
    bucket, name = parse_s3_path(prefix, object_optional=True)
    request = ListRequest(bucket, name)
    while True:
        response = _s3().list(request)
        for item in response.items:
            yield f"s3://{bucket}/{item.key}", item.size, item.last_modified.timestamp()
        if not response.next_token:
            return
        request.continuation_token = response.next_token


def _s3() -> Client:
    """Return this thread's client: Beam would make one anew for every object, in 30 ms."""
    if not hasattr(_per_thread, "s3"):
        os.environ.setdefault("AWS_MAX_ATTEMPTS", "2")  # each of which may take a minute
        _per_thread.s3 = Client(PipelineOptions([]))
    client: Client = _per_thread.s3
    return client


def _os_error(error: Exception, address: str) -> OSError:
    for one in _causes(error):
        if isinstance(one, FileNotFoundError) or "not found" in str(one).lower():
            return OSError(errno.ENOENT, "no such object", address)
        code = _CODES.get(getattr(one, "code", 0))
        if code is not None:
            return OSError(code, _said(error), address)
    return OSError(errno.EREMOTEIO, _said(error), address)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what it came from; Beam's name what they came from."""
    while error is not None:
        yield error
        yield from (getattr(error, "exception_details", None) or {}).values()
        error = error.__cause__ or error.__context__


def _said(error: Exception) -> str:
    """Return the sentence of an error, of Beam's the one that it is about."""
    about = [str(one) for one in _causes(error) if not getattr(one, "exception_details", None)]
    said = next(filter(None, about), type(error).__name__)
    return said.partition("\n")[0].rstrip(".")
