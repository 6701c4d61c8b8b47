from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from contracts.images.canonical import canonicalise
from contracts.images.reading import ImageReading
from trainer.export.graph_decoding import decode_raw
from trainer.preprocessing import decode

READING = ImageReading(background="#102030")
SameAsCanonical = Callable[[bytes], None]


@pytest.fixture(scope="session")
def in_graph() -> Callable[[bytes], np.ndarray]:
    """Return what decodes a file with READING, in a graph that was traced once."""
    function = tf.function(
        lambda raw: decode_raw(raw, READING),
        input_signature=[tf.TensorSpec([], tf.string)],
        autograph=False,
    )
    return lambda raw: function(raw).numpy()


@pytest.fixture(scope="session")
def same_as_canonical(in_graph: Callable[[bytes], np.ndarray]) -> SameAsCanonical:
    """Return what fails unless the graph gives the canonical pixels of a file, bit for bit."""

    def compare(raw: bytes) -> None:
        expected = decode(tf.constant(canonicalise(raw, READING).encoded)).numpy()
        np.testing.assert_array_equal(in_graph(raw), expected)

    return compare
