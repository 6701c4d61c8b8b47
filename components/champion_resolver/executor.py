"""Copies the champion into a Model artifact."""

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.artifact_types import set_registry_version
from components.champion_resolver import core
from contracts.config.tracking import TrackingStore
from registry.model_versions import ModelRegistry
from registry.serving_folder import ServingFolder


class Executor(BaseExecutor):
    """Registry -> baseline model, or no artifact at all where there is no champion."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fetch the champion."""
        store = TrackingStore.model_validate_json(exec_properties["store"])
        artifact = artifact_utils.get_single_instance(output_dict["baseline_model"])
        target = Path(path_utils.serving_model_dir(artifact.uri))
        serving = ServingFolder(Path(exec_properties["serving"]))
        registry = ModelRegistry(store, serving)
        champion = core.fetch_champion(registry, serving, exec_properties["champion"], target)
        if champion is None:
            output_dict["baseline_model"].clear()
        else:
            set_registry_version(artifact, champion.version)
