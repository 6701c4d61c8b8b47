"""Transforms the shards on Beam; only paths and counts pass through it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils

from components.image_transform import core
from contracts.config import PreprocessingConfig
from trainer.data import ImageDataset


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
        shards = []
        for split in splits:
            folder = Path(source.uri, f"Split-{split}")
            Path(target.uri, folder.name).mkdir(parents=True, exist_ok=True)
            shards += [(split, f"{folder.name}/{path.name}") for path in folder.iterdir()]
        empty = ImageDataset(target.uri, labels, config, dict.fromkeys(splits, 0))
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(sorted(shards))
                | "Reshuffle" >> beam.Reshuffle()
                | "Transform" >> beam.ParDo(_TransformShard(source.uri, empty))
                | "Count" >> beam.CombinePerKey(sum)
                | "Together" >> beam.combiners.ToDict()
                | "Record" >> beam.Map(_write_record, empty)
            )


class _TransformShard(beam.DoFn):
    def __init__(self, source_uri: str, dataset: ImageDataset) -> None:
        self._source = Path(source_uri)
        self._dataset = dataset
        self._indices = {label: index for index, label in enumerate(dataset.labels)}

    def process(self, shard: tuple[str, str]) -> Iterable[tuple[str, int]]:
        split, name = shard
        source, target = self._source / name, Path(self._dataset.uri) / name
        count = core.transform_shard(source, target, self._indices, self._dataset.preprocessing)
        yield split, count


def _write_record(counts: dict[str, int], empty: ImageDataset) -> None:
    examples = empty.examples | counts
    ImageDataset(empty.uri, empty.labels, empty.preprocessing, examples).write()
