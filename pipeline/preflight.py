"""What is checked before anything runs: the config, and the data folder by its names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.code_digest import installed, module_file, users_digest
from components.image_example_gen.listing.layout import Layout, read_layout, require_trainable
from contracts.cluster import TF_CONFIG, cluster
from contracts.config import PipelineConfig
from contracts.errors import ConfigError
from contracts.field_problems import Problem
from contracts.load import load_config
from contracts.named_files import EXPECTED_CODE
from contracts.search_space import tried
from contracts.tracking import TrackingConfig
from contracts.training import TrainerConfig
from contracts.users_code import UsersCode, may_define
from contracts.variation import told
from contracts.yaml_marks import dotted


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
    _require_users_code(config)
    _require_wandb(config.tracking)
    _require_one_machine(config.trainer)
    layout = read_layout(config.data)
    require_trainable(layout, config.data)
    return Preflight(config, layout)


def _require_users_code(config: PipelineConfig) -> None:
    """Raise ConfigError where code that the config or its search names cannot be used."""
    own = code_problems(config.trainer)
    problems = told(own)
    for place, one in tried(config):
        others = [problem for problem in code_problems(one.trainer) if problem not in own]
        problems += [f"{dotted(place)}: {problem.sentence}" for problem in others]
    if problems:
        raise ConfigError(problems)


def code_problems(trainer: TrainerConfig) -> list[Problem]:
    """Return where code of the user's own is not there, or is no Python.

    The loader has looked at the files; here it is about modules, and about what a file imports.
    """
    return [
        Problem(
            ("trainer", *key),
            f"expected {EXPECTED_CODE[str(key[0])]}, received '{code}', {trouble}",
        )
        for key, code in trainer.users_references().items()
        if (trouble := _trouble(code))
    ]


def _trouble(code: UsersCode) -> str:
    """Return what keeps code from being used: "but ... ."; "" for nothing. Nothing is run."""
    try:
        users_digest([code])
        file = module_file(code.place) if code.file is None else None
        found = file is None or may_define(file, code.attribute)
    except ModuleNotFoundError as error:
        return (
            f"but there is no module {error.name!r} on the Python path. Install it into this "
            "environment, or name its folder in PYTHONPATH; a file beside the config is named by "
            "`file.py:name`."
        )
    except (SyntaxError, ValueError) as error:  # ValueError: null characters
        where = f"{error.filename}:{error.lineno}" if isinstance(error, SyntaxError) else code
        return f"but that or what it imports is no Python: {where} ({error})."
    return "" if found else f"but {file} has no `{code.attribute}`."


def _require_one_machine(trainer: TrainerConfig) -> None:
    """Raise ConfigError where the training would wait for other machines."""
    workers, _ = cluster()
    if len(workers) > 1 and trainer.devices in ("auto", "multi_worker"):
        raise ConfigError(
            f"{TF_CONFIG}: expected nothing, since `imgpipe` trains on this machine alone, "
            f"received {len(workers)} workers. Train with `python -m trainer` on each of them, "
            f"or unset {TF_CONFIG}; trainer.devices: gpu, mirrored or cpu passes over it."
        )


def _require_wandb(tracking: TrackingConfig) -> None:
    if tracking.wandb.enabled and not installed("wandb"):
        raise ConfigError(
            "tracking.wandb.enabled: expected the package wandb, which is not installed. Install "
            "it (pip install 'imgpipe[wandb]'), or set it to false."
        )
