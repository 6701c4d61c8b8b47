"""Objects in S3 and in stores with its interface, by boto3.

Credentials, region and endpoint are boto3's usual ones: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_ENDPOINT_URL, ~/.aws, the role of the machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from contracts.system.storage.failure import storage_error
from contracts.system.storage.objects import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    CONNECTIONS,
    StoredObject,
)

# boto3 repeats a request, but not the reading of an answer that breaks off.
_READ_ATTEMPTS: Final = 3
_BROKEN_OFF: Final = (IncompleteReadError, ResponseStreamingError, HTTPClientError)
_EMPTY_RANGE: Final = 416  # the status of a range of an empty object


class S3Store:
    """A client of the endpoint and the credentials that the environment names."""

    def __init__(self) -> None:
        # `standard`: three attempts, where AWS_MAX_ATTEMPTS sets no other number.
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=ANSWER_TIMEOUT_S,
            retries={"mode": "standard"},
            max_pool_connections=CONNECTIONS,
        )
        self._client: Any = boto3.session.Session().client("s3", config=config)

    def objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Give the objects whose names begin with `prefix`; one page of them is in memory."""
        with _raising_os_error(f"s3://{bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for found in page.get("Contents", ()):
                    modified_ns = int(found["LastModified"].timestamp() * 10**9)
                    yield StoredObject(found["Key"], found["Size"], modified_ns)

    def read(self, bucket: str, name: str) -> bytes:
        """Return an object."""
        return self._read(bucket, name)

    def first_bytes(self, bucket: str, name: str, count: int) -> bytes:
        """Return the beginning of an object."""
        try:
            return self._read(bucket, name, Range=f"bytes=0-{count - 1}")
        except OSError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and _status(cause) == _EMPTY_RANGE:
                return b""
            raise

    def copy(self, bucket: str, name: str, file: IO[bytes]) -> None:
        """Write an object to an open file, block by block."""
        with _raising_os_error(f"s3://{bucket}/{name}"):
            self._client.download_fileobj(bucket, name, file)

    def _read(self, bucket: str, name: str, **options: str) -> bytes:
        with _raising_os_error(f"s3://{bucket}/{name}"):
            attempts = _READ_ATTEMPTS
            while True:
                body = self._client.get_object(Bucket=bucket, Key=name, **options)["Body"]
                attempts -= 1
                try:
                    content: bytes = body.read()
                    return content
                except _BROKEN_OFF:
                    if not attempts:
                        raise


@contextmanager
def _raising_os_error(address: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise storage_error(error, address, _status(error)) from error
    except BotoCoreError as error:
        raise storage_error(error, address) from error


def _status(error: ClientError) -> int:
    """Return the HTTP status of an answer; 0 where it has none."""
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status
