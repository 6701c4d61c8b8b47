"""Unpacks the artifacts, measures the shards on Beam, and runs the checks."""

import os
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow_data_validation as tfdv
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils

from components.artifact_types import set_blessed
from components.image_validator import core, shard_measures, statistics
from components.image_validator.checks.classes import Counts
from components.image_validator.measured_images import MeasuredImages, measures_path
from components.image_validator.measurement import UnmeasuredShard
from components.image_validator.stage import DECODE_LIMITS, MeasureShards
from contracts.artifacts.data_blessing import DataVerdict
from contracts.artifacts.derived_shards import (
    link_derived_shards,
    shards_to_derive,
    write_derived_shards,
)
from contracts.artifacts.image_issues import DataReport
from contracts.artifacts.manifest.dataset import read_dataset
from contracts.artifacts.manifest.rows import read_groups
from contracts.cache_key.code_digest import code_digest
from contracts.config.beam import BeamConfig
from contracts.config.validation import ValidationConfig
from contracts.images.isolation.pool import open_pool
from contracts.system.errors import Refusal


class Executor(BaseBeamExecutor):
    """Examples, their manifest, statistics and anomalies -> ImageDataReport and DataBlessing."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write report and blessing; refuse the data if a check of severity `fail` has findings.

        Raises:
          Refusal: the data must not be trained on.
        """
        inputs = {key: artifact_utils.get_single_uri(some) for key, some in input_dict.items()}
        report_uri = artifact_utils.get_single_uri(output_dict["report"])
        self._measure(inputs["examples"], report_uri, exec_properties["beam"])
        dataset = read_dataset(inputs["manifest"])
        report = _judge(inputs, report_uri, dataset.classes, exec_properties)
        report.write(report_uri)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        blessed = not report.reasons
        word = DataVerdict(
            blessed=blessed,
            reasons=report.reasons,
            listing_digest=dataset.listing_digest,
            fingerprint=dataset.fingerprint,
        )
        word.write(blessing.uri)
        set_blessed(blessing, blessed)
        if not blessed:
            raise Refusal(report.reasons, output_dict)

    def _measure(self, examples_uri: str, report_uri: str, beam_json: str) -> None:
        """Write the measures of every shard; those of an earlier run are linked."""
        settings = code_digest(shard_measures.__name__, libraries=("pillow", "numpy"))
        wanted = shards_to_derive(examples_uri)
        _, left = link_derived_shards(report_uri, settings, wanted, measures_path)
        if left:
            processes = BeamConfig.model_validate_json(beam_json).decode_processes
            processes = processes or len(os.sched_getaffinity(0))
            shards = [
                UnmeasuredShard(
                    Path(examples_uri, shard.source), measures_path(report_uri, shard.source)
                )
                for shard in left
            ]
            with open_pool(processes, DECODE_LIMITS), self._make_beam_pipeline() as pipeline:
                _ = (
                    pipeline
                    | "Shards" >> beam.Create(shards)
                    | "Reshuffle" >> beam.Reshuffle()
                    | "Measure" >> beam.ParDo(MeasureShards(processes))
                )
        write_derived_shards(report_uri, settings, wanted)


def _judge(
    inputs: dict[str, str],
    report_uri: str,
    counts: Counts,
    exec_properties: dict[str, Any],
) -> DataReport:
    config = ValidationConfig.model_validate_json(exec_properties["validation"])
    moved: list[str] = []
    accepted = exec_properties["accepted_statistics"]
    if accepted and config.drift.severity != "off":
        schema = tfdv.load_schema_text(str(Path(inputs["schema"], "schema.pbtxt")))
        moved = statistics.find_drift(
            inputs["statistics"], accepted, schema, config.drift.threshold
        )
    evidence = core.CheckedData(
        pictures=MeasuredImages(report_uri, inputs["examples"]),
        counts=counts,
        groups=read_groups(inputs["manifest"]),
        anomalies=statistics.read_anomalies(inputs["anomalies"]),
        drift=moved,
        seed=exec_properties["seed"],
    )
    return core.find_issues(evidence, config)
