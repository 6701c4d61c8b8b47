"""An exception in the one line that a user reads."""

import pytest

from contracts.system.errors import ConfigError, in_one_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("\n first line\nsecond line"), "ValueError: first line"),
        (MemoryError(), "MemoryError"),
        (ConfigError(["a: wrong.", "b: wrong."]), "a: wrong. b: wrong."),
    ],
)
def test_in_one_line(error, line):
    assert in_one_line(error) == line
