"""All checks before a run, for `imgpipe check` and for the commands that start a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.listing.trainable import require_trainable
from contracts.config.loading.loader import load_config
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.known_classes import unknown_classes_in_config, unknown_classes_in_space
from contracts.config.rules.needed_libraries import needed_libraries
from contracts.config.rules.search_space import varied_configs
from contracts.config.trainer.config import TrainerConfig
from contracts.environment.cluster import (
    CLUSTER_DEVICES,
    CLUSTER_NEXT_STEP,
    TF_CONFIG,
    TRAINS_ALONE,
    cluster,
)
from contracts.environment.keras_environment import require_keras
from contracts.system.errors import ConfigError, Problems
from pipeline.preflight.curated_schema import read_schema
from pipeline.preflight.workspace_checks import require_apart, require_space, require_usable


@dataclass(frozen=True)
class Preflight:
    """A config, a data folder and a workspace that fit each other."""

    config: PipelineConfig
    layout: Layout
    folder: Path  # relative paths in the config start here


def preflight(
    config_file: Path, overrides: Sequence[str], workspace: Path, *, searches: bool = False
) -> Preflight:
    """Return the config and the data layout, both fit for a run in the workspace.

    No image is opened, and nothing is written.

    Args:
      config_file: pipeline.yaml.
      overrides: each is `section.key=value`.
      workspace: the folder for the run; it may be missing.
      searches: whether the run trains with the values of the search space too.

    Raises:
      InputError: all problems that would stop a run before its first component.
        ConfigError: the config is wrong, needs a library that is not installed, or names a class
          that the data does not have; data.schema holds no schema; or the environment keeps Keras
          from training here.
        DataError: nothing can be trained on the data.
        WorkspaceError: the workspace cannot be used.
    """
    problems = Problems()
    with problems.collected():
        require_keras()
    with problems.collected():
        require_usable(workspace)
    with problems.collected():
        config = load_config(config_file, overrides)
        with problems.collected():
            _require_libraries(config, searches=searches)
        with problems.collected():
            if config.data.schema_path:
                read_schema(config.data.schema_path)
        with problems.collected():
            _require_one_machine(config.trainer)
        layout = read_layout(config.data)
        require_trainable(layout, config.data)
        with problems.collected():
            _require_classes(config, layout, searches=searches)
        with problems.collected():
            require_apart(workspace, layout)
        with problems.collected():
            require_space(workspace, layout, config.preprocessing.image_size_px)
    problems.raise_any()
    return Preflight(config, layout, config_file.absolute().parent)


def _require_libraries(config: PipelineConfig, *, searches: bool) -> None:
    """Raise ConfigError where an optional library that is needed is not installed."""
    configs = [config, *((varied for _, varied in varied_configs(config)) if searches else ())]
    libraries = dict.fromkeys(library for one in configs for library in needed_libraries(one))
    missing = [library.missing for library in libraries if not library.is_installed]
    if missing:
        raise ConfigError(missing)


def _require_one_machine(trainer: TrainerConfig) -> None:
    """Raise ConfigError where the training would wait for other machines."""
    workers, _ = cluster()
    if len(workers) > 1 and trainer.devices in CLUSTER_DEVICES:
        raise ConfigError(
            f"{TF_CONFIG}: expected nothing, since {TRAINS_ALONE}, received {len(workers)} "
            f"workers. {CLUSTER_NEXT_STEP}"
        )


def _require_classes(config: PipelineConfig, layout: Layout, *, searches: bool) -> None:
    """Raise ConfigError where the config names classes that the data does not have."""
    unknown = unknown_classes_in_config(config, layout.labels)
    unknown += unknown_classes_in_space(config, layout.labels) if searches else []
    if unknown:
        raise ConfigError(unknown)
