"""Tells a full disk from other causes of an error."""

import errno
from collections.abc import Iterator
from typing import Final

MESSAGES: Final = ("No space left on device", "database or disk is full")


def is_disk_full(error: BaseException) -> bool:
    """Return whether a full disk is the cause, whatever library noticed it."""
    return any(
        (isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT))
        or any(text in str(one) for text in MESSAGES)
        for one in causes(error)
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, the latest first."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
