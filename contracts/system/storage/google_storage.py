"""Objects in Google Cloud Storage, by Google's client library.

Credentials are the application default credentials; STORAGE_EMULATOR_HOST names another endpoint.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

from google.api_core.exceptions import GoogleAPICallError, RequestRangeNotSatisfiable, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.exceptions import RequestException

from contracts.system.storage.failure import storage_error
from contracts.system.storage.objects import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, StoredObject

_FIELDS: Final = "items(name,size,updated),nextPageToken"
# A request is repeated for so long, the waiting between the attempts included.
_RETRIES_S: Final = 60.0


class GoogleStore:
    """A client with the credentials that the environment names; no project is needed to read."""

    def __init__(self) -> None:
        with _raising_os_error("gs://"):
            self._client: Any = storage.Client(project=None)
        self._options: dict[str, Any] = {
            "timeout": (CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
            "retry": DEFAULT_RETRY.with_timeout(_RETRIES_S),
        }

    def objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Give the objects whose names begin with `prefix`; one page of them is in memory."""
        with _raising_os_error(f"gs://{bucket}/{prefix}"):
            for blob in self._client.list_blobs(
                bucket, prefix=prefix, fields=_FIELDS, **self._options
            ):
                modified_ns = int(blob.updated.timestamp() * 10**9)
                yield StoredObject(blob.name, blob.size, modified_ns)

    def read(self, bucket: str, name: str) -> bytes:
        """Return an object."""
        with _raising_os_error(f"gs://{bucket}/{name}"):
            content: bytes = self._blob(bucket, name).download_as_bytes(**self._options)
            return content

    def first_bytes(self, bucket: str, name: str, count: int) -> bytes:
        """Return the beginning of an object."""
        with _raising_os_error(f"gs://{bucket}/{name}"):
            try:
                first: bytes = self._blob(bucket, name).download_as_bytes(
                    end=count - 1, **self._options
                )
                return first
            except RequestRangeNotSatisfiable:  # the object is empty
                return b""

    def copy(self, bucket: str, name: str, file: IO[bytes]) -> None:
        """Write an object to an open file, block by block."""
        with _raising_os_error(f"gs://{bucket}/{name}"):
            self._blob(bucket, name).download_to_file(file, **self._options)

    def _blob(self, bucket: str, name: str) -> Any:
        return self._client.bucket(bucket).blob(name)


@contextmanager
def _raising_os_error(address: str) -> Iterator[None]:
    try:
        yield
    except GoogleAPICallError as error:
        raise storage_error(error, address, error.code) from error
    except (GoogleAuthError, RetryError, RequestException) as error:
        raise storage_error(error, address) from error
