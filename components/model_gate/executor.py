"""Writes the decision of the gate into a ModelBlessing."""

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.artifact_types import set_blessed
from components.model_gate import core
from contracts.config.evaluation import EvaluationConfig


class Executor(BaseExecutor):
    """ModelEvaluation -> ModelBlessing."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write the decision and its reasons."""
        config = EvaluationConfig.model_validate_json(exec_properties["evaluation_config"])
        evaluation = Path(artifact_utils.get_single_uri(input_dict["evaluation"]))
        model = artifact_utils.get_single_instance(input_dict["model"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        decision = core.decide(evaluation, config)
        decision.write(Path(blessing.uri))
        blessing.set_string_custom_property("current_model", model.uri)
        blessing.set_int_custom_property("current_model_id", model.id)
        set_blessed(blessing, decision.blessed)
