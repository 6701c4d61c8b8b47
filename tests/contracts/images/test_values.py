import numpy as np
import pytest

from contracts.images.values import Values, fitting_range

INTEGERS = [
    ((0, 1), (0, 255)),
    ((0, 255), (0, 255)),
    ((3, 256), (0, 1023)),
    ((0, 4095), (0, 4095)),
    ((0, 4096), (0, 16383)),
    ((0, 65535), (0, 65535)),
    ((0, 100_000), (0, 262_143)),
    ((0, 2**32 - 1), (0, 2**32 - 1)),
    ((-1024, 3071), (-1024, 4095)),
]
FLOATS = [
    ((0, 0.5), (0, 1)),
    ((0, 1.0005), (0, 1)),
    ((0, 254.5), (0, 255)),
    ((0, 65535), (0, 65535)),
    ((-1, 1), (-1, 1)),
]


@pytest.mark.parametrize(
    ("kind", "extent", "expected"),
    [
        *(("integer", extent, expected) for extent, expected in INTEGERS),
        *(("float", extent, expected) for extent, expected in FLOATS),
    ],
)
def test_integers_have_an_even_number_of_bits_and_floats_go_to_one_or_are_such(
    kind, extent, expected
) -> None:
    assert fitting_range(kind, extent) == expected


def test_what_is_no_number_is_no_part_of_the_extent() -> None:
    samples = np.array([[np.nan, np.inf, 0.25, 0.75]], np.float32)
    assert Values(samples).extent == (0.25, 0.75)
    assert Values(np.full((1, 1), np.nan)).extent == (0, 0)
