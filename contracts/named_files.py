"""What the files of code and of weights that the config names have to be."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contracts.inconsistency import Inconsistency, mode
from contracts.training import TrainerConfig
from contracts.users_code import UsersCode, may_define
from contracts.yaml_marks import KeyPath

EXPECTED_CODE: Final = {
    "model": "a function that returns a Keras model",
    "loss": "a class derived from keras.losses.Loss",
    "metrics": "a class derived from keras.metrics.Metric",
    "callbacks": "a class derived from keras.callbacks.Callback",
}
WEIGHTS_SUFFIXES: Final = (".weights.h5", ".keras")


def code_inconsistencies(trainer: TrainerConfig) -> Iterator[Inconsistency]:
    """Yield what is wrong with the files of the user's own code; they are not run."""
    for key, code in trainer.users_references().items():
        trouble = code_trouble(code)
        if trouble:
            what = EXPECTED_CODE[str(key[0])]
            yield Inconsistency(
                ("trainer", *key), f"expected a Python file with {what}, received {code}, {trouble}"
            )


def code_trouble(code: UsersCode) -> str:
    """Return what keeps a file from giving what is asked of it: "but ... ."; "" for nothing.

    Nothing is run. A module of an installed package is not looked at: "".
    """
    file = code.file
    if file is None:
        return ""
    kind, trouble = mode(file)
    if not stat.S_ISREG(kind):
        return f"which {trouble or 'is no file'}. Paths are relative to the config file."
    try:
        found = may_define(file, code.attribute)
    except OSError as error:
        return f"which cannot be read ({error.strerror})."
    except (SyntaxError, ValueError) as error:
        where = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        message = error.msg if isinstance(error, SyntaxError) else error
        return f"which is no Python{where} ({message})."
    return "" if found else f"but the file has no `{code.attribute}`."


def weights_inconsistencies(trainer: TrainerConfig) -> Iterator[Inconsistency]:
    """Yield what is wrong with the file of weights; it is not opened."""
    file = trainer.weights_file()
    if file is None:
        return
    key: KeyPath = ("trainer", "weights")
    expected = f"expected null, imagenet or a file of weights ({', '.join(WEIGHTS_SUFFIXES)})"
    if not file.name.endswith(WEIGHTS_SUFFIXES):
        yield Inconsistency(key, f"{expected}, received {file}.")
        return
    trouble = _file_trouble(file)
    if trouble:
        yield Inconsistency(
            key, f"{expected}, received {file}, which {trouble}. Paths are relative to the config."
        )


def _file_trouble(file: Path) -> str:
    kind, trouble = mode(file)
    return trouble if trouble or stat.S_ISREG(kind) else "is no file"
