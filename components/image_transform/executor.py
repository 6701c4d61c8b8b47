"""Unpacks the artifacts, links known shards, and runs the stage on the others."""

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.transforms import combiners
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils

from components.image_transform import core
from components.image_transform.stage import TransformShard, write_records
from contracts.artifacts import features
from contracts.artifacts.derived_shards import link_derived_shards, shards_to_derive
from contracts.artifacts.example_shards import split_folder
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.preprocessing import PreprocessingConfig
from contracts.images.reading import ImageReading


class Executor(BaseBeamExecutor):
    """Examples -> transformed examples, shard by shard."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write the shards of every split, then the record of the data set."""
        config = PreprocessingConfig.model_validate_json(exec_properties["preprocessing"])
        source = artifact_utils.get_single_instance(input_dict["examples"])
        target = artifact_utils.get_single_instance(output_dict["transformed_examples"])
        target.split_names = source.split_names
        splits = artifact_utils.decode_split_names(source.split_names)
        labels = core.read_labels(source.uri)
        for split in splits:
            split_folder(target.uri, split).mkdir(parents=True, exist_ok=True)
        reading = ImageReading.read(Path(source.uri))
        fingerprint = source.get_string_custom_property(features.FINGERPRINT_PROPERTY)
        counts = dict.fromkeys(splits, (0,) * len(labels))
        dataset = ImageDataset(target.uri, labels, config, counts, reading, fingerprint)
        settings = json.dumps([config.model_dump(), labels, exec_properties["code_digest"]])
        wanted = shards_to_derive(source.uri)
        linked, left = link_derived_shards(target.uri, settings, wanted, Path)
        if not left:
            write_records([], linked, settings, dataset)
            return
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(left)
                | "Reshuffle" >> beam.Reshuffle()
                | "Transform" >> beam.ParDo(TransformShard(source.uri, dataset))
                | "Together" >> combiners.ToList()
                | "Records" >> beam.Map(write_records, linked, settings, dataset)
            )
