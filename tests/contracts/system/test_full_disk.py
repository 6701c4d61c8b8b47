"""A full disk is the cause of an error, whatever library noticed it."""

import errno

import pytest

from contracts.system.full_disk import is_disk_full


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        caused_by(RuntimeError("x"), OSError(errno.ENOSPC, "")),
        RuntimeError("ResourceExhausted: /x; No space left on device"),
        RuntimeError("(sqlite3.OperationalError) database or disk is full"),
    ],
)
def test_a_full_disk_is_seen_whoever_noticed_it(error):
    assert is_disk_full(error)


def test_another_trouble_is_none():
    assert not is_disk_full(OSError(errno.ENOENT, "No such file"))
