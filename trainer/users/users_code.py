"""Imports the user's code that the config names, and turns its errors into sentences."""

import hashlib
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from contracts.config.rules.hidden_modules import hidden_modules
from contracts.config.trainer.users_code import UsersCode
from contracts.system.errors import ConfigError

# Colours and lists of arguments in Keras's messages.
NOISE = re.compile(r"\x1b\[[0-9;]*m|Arguments received by .*", re.DOTALL)


def load_users_code(reference: str, key: str) -> Any:
    """Return the callable that `module:name` or `path/to/file.py:name` names.

    A file is imported under a name of its own, once as long as it stays the same; it may import
    modules beside it. A file there that is named like one of our packages stands in for none of
    them, nor for another installed module.

    Args:
      reference: as it stands in the config, the path of a file absolute.
      key: where it stands, such as "trainer.model".

    Raises:
      ConfigError: it cannot be imported, raises, or has no such callable; a sentence with the
        line of the user's file.
    """
    code = _parsed(reference, key)
    try:
        module = _import_file(code.file, key) if code.file else importlib.import_module(code.place)
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:  # whatever a module raises
        if isinstance(error, ModuleNotFoundError) and error.name == code.place.partition(".")[0]:
            hint = " Install it into this environment, or name its folder in PYTHONPATH."
        else:
            hint = ""
        raise ConfigError(
            f"{key}: {reference} cannot be imported: {error_text(error, code)}{hint}"
        ) from error
    found = getattr(module, code.attribute, None)
    if not callable(found):
        what = f"a {type(found).__name__}" if hasattr(module, code.attribute) else "no such name"
        raise ConfigError(
            f"{key}: expected a function or class {code.attribute!r} in {code.place}, "
            f"received {what}."
        )
    return found


def call_users_code(
    function: Callable[..., Any], code: UsersCode, key: str, *inputs: Any, **arguments: Any
) -> Any:
    """Return what the user's function returns.

    Raises:
      ConfigError: it raised; a sentence with the line of the user's file.
    """
    try:
        return function(*inputs, **arguments)
    except Exception as error:  # whatever it raises
        raise ConfigError(f"{key}: {code} failed: {error_text(error, code)}") from error


def users_instance(reference: str, key: str, kind: type) -> Any:
    """Return an object of a class of the user's own, made without arguments.

    Args:
      reference: as for `load_users_code`.
      key: where it stands, such as "trainer.loss".
      kind: what the class has to be derived from.

    Raises:
      ConfigError: it cannot be imported or made, or is of another kind.
    """
    code = _parsed(reference, key)
    made = call_users_code(load_users_code(reference, key), code, key)
    if not isinstance(made, kind):
        raise ConfigError(
            f"{key}: expected a class derived from Keras's {kind.__name__}, received {reference}, "
            f"which makes a {type(made).__name__}."
        )
    return made


def error_text(error: BaseException, code: UsersCode) -> str:
    """Return an error and the user's line that raised it: "ValueError: ... (net.py:3)."."""
    text = " ".join(NOISE.sub("", str(error)).split())
    sentence = f"{type(error).__name__}: {text}" if text else type(error).__name__
    line = _users_line(error, code)
    return f"{sentence.rstrip('.')}{f' ({line})' if line else ''}."


def _parsed(reference: str, key: str) -> UsersCode:
    code = UsersCode.parse(reference)
    if code is None:
        raise ConfigError(
            f"{key}: expected `module:name` or `file.py:name`, received {reference!r}."
        )
    return code


def _users_line(error: BaseException, code: UsersCode) -> str:
    """Return `file:line` of the innermost frame in the user's code, "" where there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    folder: Path | None
    if code.file:
        folder = code.file.parent
    else:
        origin = getattr(sys.modules.get(code.place), "__file__", None)
        folder = Path(origin).parent if origin else None
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if folder and folder in Path(frame.filename).parents:
            return f"{frame.filename}:{frame.lineno}"
    return ""


def _import_file(file: Path, key: str) -> ModuleType:
    hidden = hidden_modules(file)
    if hidden:
        raise ConfigError(f"{key}: {sentence}" for sentence in hidden)
    folder = str(file.parent)
    if folder not in sys.path:
        # The last place: no file of the user's stands in for a module that others import.
        sys.path.append(folder)
    source = file.read_bytes()
    digest = hashlib.sha256(str(file).encode() + b"\0" + source).hexdigest()
    name = f"imgpipe_users_{file.stem}_{digest[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        raise ImportError(f"{file} is no Python source", path=str(file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        # The loader would take old bytecode where size and second of the source are the same.
        exec(compile(source, str(file), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module
