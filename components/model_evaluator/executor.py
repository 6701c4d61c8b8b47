"""Unpacks the artifacts, calls `evaluate`, and writes the metrics."""

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.artifact_types import registry_version
from components.model_evaluator import core
from contracts.artifacts import features
from contracts.artifacts.example_shards import split_folder
from contracts.system.errors import ComponentError


class Executor(BaseExecutor):
    """Test split, candidate and champion -> ModelEvaluation."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluate and write predictions and metrics."""
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        candidate = artifact_utils.get_single_instance(input_dict["model"])
        shards = sorted(split_folder(examples.uri, features.TEST).glob("*"))
        if not shards:
            raise ComponentError(
                f"ModelEvaluator: expected a split {features.TEST!r} in {examples.uri}, "
                f"found splits {examples.split_names}."
            )
        target = Path(artifact_utils.get_single_uri(output_dict["evaluation"]))
        metrics = core.evaluate(
            Path(path_utils.serving_model_path(candidate.uri)),
            _baseline(input_dict.get("baseline_model", [])),
            shards,
            target,
        )
        metrics.write(target)


def _baseline(models: list[Any]) -> core.BaselineModel | None:
    if not models:
        return None
    model = artifact_utils.get_single_instance(models)
    folder = Path(path_utils.serving_model_path(model.uri))
    return core.BaselineModel(folder, registry_version(model))
