"""Unpacks the artifacts, calls `augment`, and writes the report."""

from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.augmenter import core
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.augmentation.config import AugmentationConfig


class Executor(BaseExecutor):
    """Transformed examples -> AugmentationReport and changed copies."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write copies, mosaics and report."""
        source = artifact_utils.get_single_instance(input_dict["transformed_examples"])
        copies = artifact_utils.get_single_instance(output_dict["augmented_examples"])
        copies.split_names = source.split_names
        report_uri = artifact_utils.get_single_uri(output_dict["report"])
        report = core.augment(
            ImageDataset.read(source.uri),
            AugmentationConfig.model_validate_json(exec_properties["augmentation"]),
            exec_properties["seed"],
            (report_uri, copies.uri),
        )
        report.write(report_uri)
