"""What is checked before anything runs: the config, and the data folder by its names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.code_digest import module_file, users_digest
from components.image_example_gen.listing.layout import Layout, read_layout, require_trainable
from contracts.config import PipelineConfig
from contracts.errors import ConfigError
from contracts.load import load_config
from contracts.training import TrainerConfig
from contracts.users_code import may_define


@dataclass(frozen=True)
class Preflight:
    """A config and a data folder that fit each other."""

    config: PipelineConfig
    layout: Layout


def preflight(config_file: Path, overrides: Sequence[str] = ()) -> Preflight:
    """Return the config and the data layout, both fit for a run; no image is opened.

    Raises:
      ConfigError: the config is wrong; all problems of it.
      DataError: nothing can be trained on the data; all problems of it.
    """
    config = load_config(config_file, overrides)
    _require_users_code(config.trainer)
    layout = read_layout(config.data)
    require_trainable(layout, config.data)
    return Preflight(config, layout)


def _require_users_code(trainer: TrainerConfig) -> None:
    """Raise ConfigError where code of the user's own is not there, or is no Python.

    The loader has looked at the files; here it is about modules, and about what a file imports.
    """
    for code in trainer.users_code():
        try:
            users_digest([code])
            file = module_file(code.place) if code.file is None else None
            found = file is None or may_define(file, code.attribute)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"trainer.model: expected an importable `module:function`, received "
                f"'{code}', but there is no module {error.name!r} on the Python path. "
                "Install it into this environment, or name its folder in PYTHONPATH; "
                "a file beside the config is named by `file.py:function`."
            ) from error
        except (SyntaxError, ValueError) as error:  # ValueError: null characters
            where = f"{error.filename}:{error.lineno}" if isinstance(error, SyntaxError) else code
            raise ConfigError(
                f"trainer.model: {code} or what it imports is no Python: {where} ({error})."
            ) from error
        if not found:
            raise ConfigError(
                f"trainer.model: expected an importable `module:function`, received "
                f"'{code}', but {file} has no `{code.attribute}`."
            )
