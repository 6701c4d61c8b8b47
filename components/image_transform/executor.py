"""Transforms the shards on Beam; only paths and counts pass through it."""

import json
from collections.abc import Iterable
from dataclasses import replace
from operator import add
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils

from components.image_transform import core
from components.image_transform.earlier import Shard, link_shards, shards_of, write_shards
from contracts.artifacts import features
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
        """Write every split's shards, then the record that says what is there."""
        config = PreprocessingConfig.model_validate_json(exec_properties["preprocessing"])
        source = artifact_utils.get_single_instance(input_dict["examples"])
        target = artifact_utils.get_single_instance(output_dict["transformed_examples"])
        target.split_names = source.split_names
        splits = artifact_utils.decode_split_names(source.split_names)
        labels = core.read_labels(source.uri)
        for split in splits:
            Path(target.uri, f"Split-{split}").mkdir(parents=True, exist_ok=True)
        reading = ImageReading.read(Path(source.uri))
        fingerprint = source.get_string_custom_property(features.FINGERPRINT_PROPERTY)
        counts = dict.fromkeys(splits, (0,) * len(labels))
        dataset = ImageDataset(target.uri, labels, config, counts, reading, fingerprint)
        settings = json.dumps([config.model_dump(), labels, exec_properties["code_digest"]])
        wanted = shards_of(source.uri, splits)
        linked = link_shards(target.uri, settings, wanted)
        names = {shard.name for shard in linked}
        left = [shard for shard in wanted if shard.name not in names]
        if not left:
            _write_records([], linked, settings, dataset)
            return
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(left)
                | "Reshuffle" >> beam.Reshuffle()
                | "Transform" >> beam.ParDo(_TransformShard(source.uri, dataset))
                | "Together" >> beam.combiners.ToList()
                | "Records" >> beam.Map(_write_records, linked, settings, dataset)
            )


class _TransformShard(beam.DoFn):
    def __init__(self, source_uri: str, dataset: ImageDataset) -> None:
        self._source = Path(source_uri)
        self._dataset = dataset
        self._indices = {label: index for index, label in enumerate(dataset.labels)}

    def process(self, shard: Shard) -> Iterable[Shard]:
        source, target = self._source / shard.name, Path(self._dataset.uri, shard.name)
        counts = core.transform_shard(source, target, self._indices, self._dataset.preprocessing)
        yield replace(shard, label_counts=counts)


def _write_records(
    written: list[Shard], linked: list[Shard], settings: str, dataset: ImageDataset
) -> None:
    """Write what is there, for the trainer and for the next transformation."""
    shards = sorted([*written, *linked], key=lambda shard: shard.name)
    counts = dict(dataset.label_counts)
    for shard in shards:
        split = shard.name.partition("/")[0].removeprefix("Split-")
        counts[split] = tuple(map(add, counts[split], shard.label_counts))
    write_shards(dataset.uri, settings, shards)
    replace(dataset, label_counts=counts).write()
