"""What is checked before anything runs: the config, and the data folder by its names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.image_example_gen.layout import Layout, read_layout, require_trainable
from contracts.config import PipelineConfig
from contracts.load import load_config


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
    layout = read_layout(config.data)
    require_trainable(layout, config.data)
    return Preflight(config, layout)
