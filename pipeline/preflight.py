"""What is checked before anything runs: config, libraries, and the data folder by its names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.image_example_gen.listing.layout import Layout, read_layout, require_trainable
from contracts.cluster import ALONE, SHARING, TF_CONFIG, TOGETHER, cluster
from contracts.config import PipelineConfig
from contracts.errors import ConfigError
from contracts.known_classes import unknown_classes_of, unknown_classes_tried
from contracts.load import load_config
from contracts.optional_libraries import needed_libraries
from contracts.search_space import tried
from contracts.training import TrainerConfig


@dataclass(frozen=True)
class Preflight:
    """A config and a data folder that fit each other."""

    config: PipelineConfig
    layout: Layout
    folder: Path  # what paths in the config are relative to


def preflight(
    config_file: Path, overrides: Sequence[str] = (), *, searches: bool = False
) -> Preflight:
    """Return the config and the data layout, both fit for a run; no image is opened.

    Args:
      config_file: pipeline.yaml.
      overrides: `section.key=value` each.
      searches: whether the values of the search space are trained with too.

    Raises:
      ConfigError: the config is wrong, needs a library that is not installed, or names a class that
        the data does not have; all problems of it.
      DataError: nothing can be trained on the data; all problems of it.
    """
    config = load_config(config_file, overrides)
    configs = [config, *((varied for _, varied in tried(config)) if searches else ())]
    libraries = dict.fromkeys(library for one in configs for library in needed_libraries(one))
    problems = [library.missing for library in libraries if not library.is_installed]
    problems += _several_machines(config.trainer)
    if problems:
        raise ConfigError(problems)
    layout = read_layout(config.data)
    require_trainable(layout, config.data)
    unknown = unknown_classes_of(config, layout.labels)
    unknown += unknown_classes_tried(config, layout.labels) if searches else []
    if unknown:
        raise ConfigError(unknown)
    return Preflight(config, layout, config_file.absolute().parent)


def _several_machines(trainer: TrainerConfig) -> list[str]:
    """Return what is wrong where the training would wait for other machines."""
    workers, _ = cluster()
    if len(workers) < 2 or trainer.devices not in SHARING:
        return []
    return [
        f"{TF_CONFIG}: expected nothing, since {ALONE}, received {len(workers)} workers. {TOGETHER}"
    ]
