"""The Beam stage that transforms the shards; only names and counts pass through Beam."""

from collections.abc import Iterable
from dataclasses import replace
from operator import add
from pathlib import Path

import apache_beam as beam

from components.image_transform import core
from contracts.artifacts.derived_shards import DerivedShard, write_derived_shards
from contracts.artifacts.example_shards import split_of_shard
from contracts.artifacts.image_dataset import ImageDataset


class TransformShard(beam.DoFn):
    """Writes the pixels of a shard; gives the shard with the number of examples of each label."""

    def __init__(self, source_uri: str, dataset: ImageDataset) -> None:
        self._source = Path(source_uri)
        self._dataset = dataset
        self._indices = {label: index for index, label in enumerate(dataset.labels)}

    def process(self, shard: DerivedShard) -> Iterable[DerivedShard]:
        source, target = self._source / shard.source, Path(self._dataset.uri, shard.source)
        counts = core.transform_shard(source, target, self._indices, self._dataset.preprocessing)
        yield replace(shard, counts=counts)


def write_records(
    written: list[DerivedShard], linked: list[DerivedShard], settings: str, dataset: ImageDataset
) -> None:
    """Write what the artifact holds, for the trainer and for the next transformation."""
    shards = sorted([*written, *linked], key=lambda shard: shard.source)
    counts = dict(dataset.label_counts)
    for shard in shards:
        split = split_of_shard(shard.source)
        counts[split] = tuple(map(add, counts[split], shard.counts))
    write_derived_shards(dataset.uri, settings, shards)
    replace(dataset, label_counts=counts).write()
