"""Callbacks of the user's own, which may set the learning rate where no schedule does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

from contracts.config.trainer.config import TrainerConfig
from contracts.system.errors import ConfigError
from trainer.users.users_code import users_instance

SET_THE_RATE = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)

# Of Keras's TypeError about a rate that cannot be set.
SCHEDULE = "LearningRateSchedule"


def users_callbacks(config: TrainerConfig) -> list[Any]:
    """Return the keras.callbacks.Callback objects that `trainer.callbacks` names.

    Raises:
      ConfigError: one cannot be made, or sets the learning rate while a schedule does.
    """
    made = [
        users_instance(one, "trainer.callbacks", keras.callbacks.Callback)
        for one in config.callbacks
    ]
    pairs = zip(config.callbacks, made, strict=True)
    setting = [named for named, one in pairs if isinstance(one, SET_THE_RATE)]
    if setting and not config.is_rate_settable:
        raise _refusal(config, setting)
    return made


@contextmanager
def rate_error_explained(config: TrainerConfig) -> Iterator[None]:
    """Turn Keras's TypeError about a rate that both a callback and a schedule set into a sentence.

    Raises:
      ConfigError: it came out of the block.
    """
    try:
        yield
    except TypeError as error:
        if not config.callbacks or SCHEDULE not in str(error):
            raise
        raise _refusal(config, config.callbacks) from error


def _refusal(config: TrainerConfig, callbacks: Sequence[str]) -> ConfigError:
    return ConfigError(f"trainer.callbacks: {config.scheduled_rate_problem(callbacks)}")
