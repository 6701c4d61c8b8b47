"""What is checked before anything runs: the config, and the data folder by its names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.code_digest import code_digest, installed
from components.image_example_gen.listing.layout import Layout, read_layout, require_trainable
from contracts.config import PipelineConfig
from contracts.errors import ConfigError
from contracts.load import load_config
from contracts.tracking import TrackingConfig
from contracts.training import TrainerConfig


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
    _require_users_model(config.trainer)
    _require_wandb(config.tracking)
    layout = read_layout(config.data)
    require_trainable(layout, config.data)
    return Preflight(config, layout)


def _require_wandb(tracking: TrackingConfig) -> None:
    if tracking.wandb.enabled and not installed("wandb"):
        raise ConfigError(
            "tracking.wandb.enabled: expected the package wandb, which is not installed. Install "
            "it (pip install 'imgpipe[wandb]'), or set it to false."
        )


def _require_users_model(trainer: TrainerConfig) -> None:
    users_model = trainer.users_model()
    if users_model is None:
        return
    try:
        code_digest(users_model[0])
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"trainer.model: expected an importable `module:function`, received "
            f"{trainer.model!r}, but there is no module {error.name!r} on the Python path. "
            "Install it into this environment, or name its folder in PYTHONPATH."
        ) from error
