"""Pushes a model that is blessed."""

import json
from pathlib import Path
from typing import Any

from tfx.components.util.model_utils import is_model_blessed
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.model_pusher import core
from contracts.artifacts.decision import DECISION_FILE, Decision
from contracts.artifacts.evaluation import Metrics
from contracts.artifacts.manifest.dataset import read_dataset
from contracts.artifacts.training_record import TrainingRecord
from contracts.config.tracking import TrackingStore
from registry.model_versions import (
    ACCURACY,
    ACCURACY_INTERVAL,
    CODE_DIGEST,
    CONFIG,
    DATA_FINGERPRINT,
    MIN_ACCURACY,
    MIN_ACCURACY_SOURCE,
    RUN_ID,
    ModelRegistry,
)
from registry.serving_folder import ServingFolder
from registry.training_run import TrainingRun

# As TFX's Pusher names them.
PUSHED, DESTINATION, VERSION = "pushed", "pushed_destination", "pushed_version"


class Executor(BaseExecutor):
    """Model and ModelBlessing -> PushedModel."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Push the model if its blessing says so; without a blessing nothing is pushed."""
        pushed_model = artifact_utils.get_single_instance(output_dict["pushed_model"])
        blessings = input_dict.get("blessing", [])
        if len(blessings) != 1 or not is_model_blessed(blessings[0]):
            pushed_model.set_int_custom_property(PUSHED, 0)
            return
        model = artifact_utils.get_single_instance(input_dict["model"])
        record = TrainingRecord.read(artifact_utils.get_single_uri(input_dict["model_run"]))
        store = TrackingStore.model_validate_json(exec_properties["store"])
        serving = ServingFolder(Path(exec_properties["destination"]))
        pushed = core.push(
            Path(path_utils.serving_model_path(model.uri)),
            serving,
            ModelRegistry(store, serving),
            self._lineage(input_dict, exec_properties),
            TrainingRun.find(store, record.mlflow_run_id),
        )
        pushed_model.set_int_custom_property(PUSHED, 1)
        pushed_model.set_string_custom_property(DESTINATION, str(pushed.path))
        pushed_model.set_string_custom_property(VERSION, str(pushed.version))

    def _lineage(
        self, input_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> dict[str, str]:
        manifest = artifact_utils.get_single_uri(input_dict["manifest"])
        metrics = Metrics.read(Path(artifact_utils.get_single_uri(input_dict["evaluation"])))
        return {
            DATA_FINGERPRINT: read_dataset(manifest).fingerprint,
            CONFIG: exec_properties["config"],
            CODE_DIGEST: exec_properties["code_digest"],
            RUN_ID: (self._context and self._context.pipeline_run_id) or "",
            ACCURACY: f"{metrics.candidate.accuracy:.6f}",
            ACCURACY_INTERVAL: json.dumps([round(end, 6) for end in metrics.accuracy_interval]),
            **_floor(Path(artifact_utils.get_single_uri(input_dict["blessing"]))),
        }


def _floor(blessing: Path) -> dict[str, str]:
    """Return the tags of the floor; none where another gate than ours has blessed the model."""
    if not (blessing / DECISION_FILE).is_file():
        return {}
    floor = Decision.read(blessing).floor
    if floor is None:
        return {}
    return {MIN_ACCURACY: f"{floor.accuracy:.6f}", MIN_ACCURACY_SOURCE: floor.source}
