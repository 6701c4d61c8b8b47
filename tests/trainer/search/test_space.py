"""Whatever a config holds goes through KerasTuner and comes back as it was."""

import json

import pytest
from keras_tuner import HyperParameters

from contracts.config.search import NumberRange
from trainer.search.space import decode, hyperparameters

DIMENSIONS = {
    "lists": ([16, 32], [32, 64], None),
    "switch": (True, False),
    "numbers": (0, 0.5),
    "whole": (3, 5, 7),
    "words": ("none", "light", "1"),
    "mixed": (1, "1", True, {"a": [1.5]}),
    "rate": NumberRange(low=1e-4, high=1e-2, scale="log"),
    "width": NumberRange(low=8, high=64),
}


@pytest.mark.parametrize("key", list(DIMENSIONS))
def test_every_value_comes_back(key):
    dimension = DIMENSIONS[key]
    space = hyperparameters({key: dimension})
    # As the oracle's state goes through a file.
    space = HyperParameters.from_config(json.loads(json.dumps(space.get_config())))
    drawn = [space.space[0].random_sample(seed) for seed in range(100)]
    values = [decode({key: dimension}, {key: one, "tuner/epochs": 3})[key] for one in drawn]
    if isinstance(dimension, NumberRange):
        assert all(dimension.low <= value <= dimension.high for value in values)
        assert {type(value) for value in values} == {type(dimension.low)}
        assert len(set(values)) > 20
    else:
        assert {json.dumps(value) for value in values} == {json.dumps(one) for one in dimension}
