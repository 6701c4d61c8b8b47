"""What a store says of a failed request -> the OSError that says the same."""

import errno
from typing import Final

_ERRNO_OF_STATUS: Final = {404: errno.ENOENT, 401: errno.EACCES, 403: errno.EACCES}


def storage_error(error: Exception, address: str, status: int | None = None) -> OSError:
    """Return the error of an object or a store, with the first line of what the store says.

    Args:
      error: what the client library raised.
      address: of the object or the listing.
      status: the HTTP status of the answer, None where there was no answer. 404 becomes ENOENT,
        401 and 403 become EACCES, everything else EREMOTEIO.
    """
    number = _ERRNO_OF_STATUS.get(status or 0, errno.EREMOTEIO)
    sentence = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    return OSError(number, sentence, address)
