"""The search space as KerasTuner knows it, and its values as the config knows them.

KerasTuner's choices are numbers or texts of one type, and true would become 1: whatever else a
config holds (lists, null, booleans, mixtures) goes through it as JSON text.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from keras_tuner import HyperParameters
from pydantic import JsonValue

from contracts.config.search import Choices, NumberRange

Encoded = float | int | str
Dimensions = Mapping[str, Choices | NumberRange]


def hyperparameters(dimensions: Dimensions) -> HyperParameters:
    """Return the space: a hyperparameter for each dotted key, in order."""
    space = HyperParameters()
    for key, dimension in dimensions.items():
        if isinstance(dimension, NumberRange):
            low, high = dimension.low, dimension.high
            are_integers = isinstance(low, int) and isinstance(high, int)
            add = space.Int if are_integers else space.Float
            add(key, low, high, sampling=dimension.scale)
        else:
            space.Choice(key, list(_by_code(dimension)))
    return space


def decode(dimensions: Dimensions, values: Mapping[str, Encoded]) -> dict[str, JsonValue]:
    """Return the values of a trial as they stand in pipeline.yaml; no others than of the space."""
    return {
        key: values[key] if isinstance(dimension, NumberRange) else _by_code(dimension)[values[key]]
        for key, dimension in dimensions.items()
    }


def _by_code(choices: Choices) -> dict[Encoded, JsonValue]:
    """Return the choices by their values in KerasTuner."""
    encode = _encoder({type(choice) for choice in choices})
    return {encode(choice): choice for choice in choices}


def _encoder(kinds: set[type]) -> Callable[[Any], Encoded]:
    if kinds <= {int}:
        return int
    if kinds <= {str}:
        return str
    return float if kinds <= {int, float} else json.dumps
