"""Rules for the files of code, weights and images that a config names."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contracts.cache_key.module_sources import module_file
from contracts.config.explanation import ExplanationConfig
from contracts.config.key_paths import KeyPath
from contracts.config.rules.hidden_modules import hidden_modules
from contracts.config.rules.inconsistency import Inconsistency, file_mode
from contracts.config.trainer.config import TrainerConfig
from contracts.config.trainer.users_code import UsersCode, may_define, sources

EXPECTED_CODE: Final = {
    "model": "a function that returns a Keras model",
    "loss": "a class derived from keras.losses.Loss",
    "metrics": "a class derived from keras.metrics.Metric",
    "callbacks": "a class derived from keras.callbacks.Callback",
}
PACKAGE_FILE: Final = "__init__.py"
WEIGHTS_SUFFIXES: Final = (".weights.h5", ".keras")


def code_inconsistencies(trainer: TrainerConfig) -> Iterator[Inconsistency]:
    """Yield what is wrong with the files and modules of the user's own code; they are not run."""
    for key, code in trainer.users_references().items():
        path: KeyPath = ("trainer", *key)
        trouble = code_trouble(code)
        if trouble:
            what = EXPECTED_CODE[str(key[0])]
            file = "a Python file with " if code.file else ""
            yield Inconsistency(path, f"expected {file}{what}, received {code}, {trouble}")
        elif code.file:
            yield from (Inconsistency(path, sentence) for sentence in hidden_modules(code.file))


def code_trouble(code: UsersCode) -> str:
    """Return why code cannot be used, such as "but ... ."; "" where it can.

    Nothing is run. The sources that it imports from its folder are checked too.
    """
    if code.file is None:
        try:
            file = module_file(code.place)
        except ModuleNotFoundError as error:
            return (
                f"but there is no module with Python sources named {error.name!r} on the Python "
                "path. Install it into this environment, or name its folder in PYTHONPATH; a file "
                "in the config's folder is named as `file.py:name`."
            )
        return _source_trouble(file, code.attribute, str(file)) if file else ""
    kind, trouble = file_mode(code.file)
    if not stat.S_ISREG(kind):
        return f"which {trouble or 'is no file'}. Paths are relative to the config file."
    return _source_trouble(code.file, code.attribute, "the file")


def _source_trouble(file: Path, attribute: str, name: str) -> str:
    try:
        if not may_define(file, attribute):
            return f"but {name} has no `{attribute}`."
        if file.name != PACKAGE_FILE:  # the parts of a package are not checked
            sources(file)
    except OSError as error:
        return f"which cannot be read ({error.strerror})."
    except SyntaxError as error:
        if error.filename == str(file):
            return f"which is no Python in line {error.lineno} ({error.msg})."
        return f"but what it imports is no Python: {error.filename}:{error.lineno} ({error.msg})."
    except ValueError as error:  # null characters
        return f"which is no Python, or imports what is none ({error})."
    return ""


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


def image_inconsistencies(explanation: ExplanationConfig) -> Iterator[Inconsistency]:
    """Yield what is wrong with the chosen images; they are not opened."""
    for number, file in enumerate(explanation.images.chosen):
        trouble = _file_trouble(file)
        if trouble:
            yield Inconsistency(
                ("explanation", "images", "chosen", number),
                f"expected an image file, received {file}, which {trouble}. "
                "Paths are relative to the config.",
            )


def _file_trouble(file: Path) -> str:
    kind, trouble = file_mode(file)
    return trouble if trouble or stat.S_ISREG(kind) else "is no file"
