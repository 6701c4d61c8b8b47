"""The images of a shard -> a table with a row of measures for each.

Imports neither TensorFlow nor TFX nor Beam: decode processes run this.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from components.image_validator.image_measures import MINIATURE_PX, measure_images, scale_image
from contracts.artifacts import features
from contracts.artifacts.example_shards import split_of_shard
from contracts.artifacts.tf_example import parse
from contracts.artifacts.tf_record import read_records
from contracts.images.isolation.worker import PositionReport
from contracts.system.atomic_files import whole_file

_READ = (
    *(features.ENCODED, features.LABEL, features.PATH),
    *(features.SHA256, features.WIDTH, features.HEIGHT),
)
_IMAGES_A_BATCH = 64
ROWS_A_GROUP = 4096

SCHEMA = pa.schema(
    {
        "path": pa.string(),
        "label": pa.string(),
        "split": pa.string(),
        "sha256": pa.string(),  # of the file as it was found
        "position": pa.int64(),  # where its record begins in the shard
        "width": pa.int32(),
        "height": pa.int32(),
        "is_grey": pa.bool_(),
        "brightness": pa.float32(),  # as cleanvision defines and names them, at COLOUR_PX
        "brightness_perc_5": pa.float32(),
        "brightness_perc_99": pa.float32(),
        "entropy": pa.float32(),
        "sharpness": pa.float32(),
        "one_colour": pa.float32(),
        "edge": pa.float32(),
        "hash": pa.uint64(),
        "miniature": pa.binary(MINIATURE_PX**2 * 3),
    }
)


def measure_shard(source: Path, target: Path, report: PositionReport) -> None:
    """Write a row for every example of a shard, in order; `target` appears whole or not at all.

    Raises:
      ValueError: the shard is damaged, or its images are none.
      OSError: it cannot be read, or the disk is full.
    """
    with whole_file(target) as partial, pq.ParquetWriter(partial.path, SCHEMA) as writer:
        for batch in _batches(source, report):
            writer.write_table(batch)


def _batches(source: Path, report: PositionReport) -> Iterator[pa.Table]:
    split = split_of_shard(f"{source.parent.name}/{source.name}")
    records = read_records(source)
    done, tables = 0, []
    while some := list(islice(records, _IMAGES_A_BATCH)):
        report(done)
        examples = [parse(record, _READ) for _, record in some]
        columns = {
            "path": [example[features.PATH].decode() for example in examples],
            "label": [example[features.LABEL].decode() for example in examples],
            "split": [split] * len(examples),
            "sha256": [example[features.SHA256].decode() for example in examples],
            "position": [position for position, _ in some],
            "width": [example[features.WIDTH] for example in examples],
            "height": [example[features.HEIGHT] for example in examples],
            **measure_images([scale_image(example[features.ENCODED]) for example in examples]),
        }
        tables.append(pa.table(columns, schema=SCHEMA))
        done += len(some)
        if len(tables) * _IMAGES_A_BATCH == ROWS_A_GROUP:
            yield pa.concat_tables(tables).combine_chunks()
            tables = []
    if tables:
        yield pa.concat_tables(tables).combine_chunks()
