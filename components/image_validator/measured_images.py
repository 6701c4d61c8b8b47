"""The measures of all images as one table; images and miniatures are read on demand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.image_validator.image_measures import MINIATURE_PX, open_image
from components.image_validator.shard_measures import ROWS_A_GROUP, SCHEMA
from contracts.artifacts import features
from contracts.artifacts.tf_example import parse
from contracts.artifacts.tf_record import record_at

Array = npt.NDArray[Any]

MEASURES_FOLDER = "measures"
_MINIATURE = "miniature"
_GROUPS_KEPT = 16
_SIDE_AT_MOST = 1 << 16  # as it is


def measures_path(report_uri: str, shard: str) -> Path:
    """Return where the measures of a shard stand, whose name is `Split-<split>/<file>`."""
    return Path(report_uri, MEASURES_FOLDER, f"{shard}.parquet")


class MeasuredImages:
    """The measures of all images, in order of their paths.

    Miniatures are read and images are decoded only when they are asked for.
    """

    def __init__(self, measures_uri: str, examples_uri: str) -> None:
        """Read the measures; `examples_uri` is the artifact with the measured shards."""
        self._examples = Path(examples_uri)
        self._parts = sorted(Path(measures_uri, MEASURES_FOLDER).glob("Split-*/*.parquet"))
        names = [name for name in SCHEMA.names if name != _MINIATURE]
        tables = [pq.read_table(part, columns=names) for part in self._parts]
        sizes = [len(table) for table in tables]
        table = pa.concat_tables([SCHEMA.empty_table().select(names), *tables])
        order = pc.sort_indices(table, [("path", "ascending")]).to_numpy()
        self._table = table.take(order)
        self._part = np.repeat(np.arange(len(sizes)), sizes)[order]
        self._row = np.concatenate([np.arange(0), *(np.arange(size) for size in sizes)])[order]
        self._numbers: dict[str, Array] = {}
        self._kept: dict[tuple[int, int], Array] = {}  # miniatures, by part and group of rows

    def __len__(self) -> int:
        return len(self._table)

    def numbers(self, name: str) -> Array:
        """Return a column of shard_measures.SCHEMA as numbers, [images].

        A column of text is returned as a number for each different text, which saves memory.
        """
        if name not in self._numbers:
            column = self._table[name]
            if pa.types.is_string(column.type):
                encoded = column.dictionary_encode().unify_dictionaries()
                column = pa.chunked_array([chunk.indices for chunk in encoded.chunks], pa.int32())
            self._numbers[name] = column.to_numpy()
        return self._numbers[name]

    def is_text(self, name: str, text: str) -> Array:
        """Tell where a column of text holds this text, [images]."""
        equal: Array = pc.equal(self._table[name], text).to_numpy()
        return equal

    def texts(self, name: str, rows: Array | Sequence[int]) -> list[str]:
        """Return some rows of a column of text."""
        values: list[str] = self._table[name].take(pa.array(rows, pa.int64())).to_pylist()
        return values

    def rows_of(self, paths: Sequence[str]) -> Array:
        """Return the row of each path.

        Raises:
          LookupError: there is no picture of one of them.
        """
        wanted = pa.array(paths, pa.string())
        found = pc.index_in(wanted, value_set=self._table["path"])
        if found.null_count:
            lost = wanted.filter(pc.is_null(found)).to_pylist()
            raise LookupError(f"expected the measures of every image, no measures of {lost[0]}")
        rows: Array = found.to_numpy()
        return rows

    def miniatures(self, rows: Array) -> Array:
        """Return the miniatures of some rows, float32 [rows, values] in levels from 0 to 255."""
        found = np.empty((len(rows), MINIATURE_PX**2 * 3), np.float32)
        groups = self._row[rows] // ROWS_A_GROUP
        places = self._part[rows] * (groups.max(initial=0) + 1) + groups
        for place in np.unique(places):
            here = np.flatnonzero(places == place)
            part, group = int(self._part[rows[here[0]]]), int(groups[here[0]])
            found[here] = self._miniatures_of(part, group)[self._row[rows[here]] % ROWS_A_GROUP]
        return found

    def _miniatures_of(self, part: int, group: int) -> Array:
        """Return the miniatures of a row group, uint8 [images, values], from a cache."""
        if (part, group) not in self._kept:
            with pq.ParquetFile(self._parts[part]) as file:
                column = file.read_row_group(group, columns=[_MINIATURE])[_MINIATURE]
            raw = b"".join(chunk.buffers()[1].to_pybytes() for chunk in column.chunks)
            while len(self._kept) >= _GROUPS_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[part, group] = np.frombuffer(raw, np.uint8).reshape(len(column), -1)
        return self._kept[part, group]

    def encoded(self, row: int) -> bytes:
        """Return the canonical bytes of an image.

        Raises:
          ValueError: the shard of the image is damaged.
        """
        part = self._parts[self._part[row]]
        shard = self._examples / part.parent.name / part.stem
        record = record_at(shard, int(self.numbers("position")[row]))
        encoded: bytes = parse(record, [features.ENCODED])[features.ENCODED]
        return encoded

    def pixels(self, row: int) -> bytes:
        """Return the pixels of an image, RGB, row by row."""
        return open_image(self.encoded(row), _SIDE_AT_MOST).convert("RGB").tobytes()
