"""All measured images as one table, and the pictures themselves where they are asked for."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components.image_example_gen.tf_record import record_at
from components.image_validator.image_measures import MINIATURE_PX, opened
from components.image_validator.shard_measures import SCHEMA
from contracts import features
from contracts.tf_example import parse

Array = npt.NDArray[Any]

MEASURES_FOLDER = "measures"
_MINIATURE = "miniature"
_SIDE_AT_MOST = 1 << 16  # as it is


def measures_path(uri: str, split_folder: str, shard: str) -> Path:
    """Return where the rows of a shard stand."""
    return Path(uri, MEASURES_FOLDER, split_folder, f"{shard}.parquet")


class Pictures:
    """The rows of all shards, in order of their paths.

    Miniatures are read only where they are asked for, pictures decoded only then.
    """

    def __init__(self, measures_uri: str, examples_uri: str) -> None:
        """Read the measures; `examples_uri` is where the shards are that they were made of."""
        self._examples = Path(examples_uri)
        self._parts = sorted(Path(measures_uri, MEASURES_FOLDER).glob("Split-*/*.parquet"))
        names = [name for name in SCHEMA.names if name != _MINIATURE]
        tables = [pq.read_table(part, columns=names) for part in self._parts]
        sizes = [len(table) for table in tables]
        table = pa.concat_tables([SCHEMA.empty_table().select(names), *tables])
        order = np.argsort(table["path"].to_numpy(), kind="stable")
        self._table = table.take(order)
        self._part = np.repeat(np.arange(len(sizes)), sizes)[order]
        self._row = np.concatenate([np.arange(0), *(np.arange(size) for size in sizes)])[order]
        self._columns: dict[str, Array] = {}

    def __len__(self) -> int:
        return len(self._table)

    def column(self, name: str) -> Array:
        """Return a column of shard_measures.SCHEMA, [images]."""
        if name not in self._columns:
            self._columns[name] = self._table[name].to_numpy()
        return self._columns[name]

    def paths(self, rows: Array) -> list[str]:
        """Return the paths of some rows."""
        return [str(path) for path in self.column("path")[rows]]

    def rows_of(self, paths: Sequence[str]) -> list[int]:
        """Return the row of each path.

        Raises:
          KeyError: there is no picture of this path.
        """
        return [self._row_by_path[path] for path in paths]

    @cached_property
    def _row_by_path(self) -> dict[str, int]:
        return {str(path): row for row, path in enumerate(self.column("path"))}

    def miniatures(self, rows: Array) -> Array:
        """Return the miniatures of some rows, float32 [rows, values] in levels from 0 to 255."""
        values = MINIATURE_PX**2 * 3
        found = np.empty((len(rows), values), np.float32)
        parts = self._part[rows]
        for part in np.unique(parts):
            here = np.flatnonzero(parts == part)
            column = self._miniatures_of(int(part))
            found[here] = column[self._row[rows[here]]]
        return found

    def _miniatures_of(self, part: int) -> Array:
        column = pq.read_table(self._parts[part], columns=[_MINIATURE])[_MINIATURE]
        raw = b"".join(chunk.buffers()[1].to_pybytes() for chunk in column.chunks)
        return np.frombuffer(raw, np.uint8).reshape(len(column), -1)

    def encoded(self, row: int) -> bytes:
        """Return the canonical bytes of an image.

        Raises:
          ValueError: the shard that it stands in is damaged.
        """
        part = self._parts[self._part[row]]
        shard = self._examples / part.parent.name / part.stem
        record = record_at(shard, int(self.column("position")[row]))
        encoded: bytes = parse(record, [features.ENCODED])[features.ENCODED]
        return encoded

    def pixels(self, row: int) -> bytes:
        """Return the pixels of an image, RGB, row by row."""
        return opened(self.encoded(row), _SIDE_AT_MOST).convert("RGB").tobytes()
