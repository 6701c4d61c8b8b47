"""Networks of which only the shapes are wanted."""

import keras
import pytest


@pytest.fixture
def shapes_only():
    """Have the variables that the test makes take no memory; they have no values either."""
    with keras.StatelessScope(initialize_variables=False):
        yield
    # Or the next scope of this kind would fill them all.
    keras.utils.clear_session()
