"""The manifest: a row for every file that was found, and the counts that sum them up."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.image_example_gen.accounts.file_row import (
    FILES_FOLDER,
    INGESTED,
    PART_PREFIX,
    QUARANTINED,
    ROWS_A_GROUP,
    FileRow,
    read_rows_file,
    rows_path,
)
from components.image_example_gen.accounts.value_range import ValueRange
from components.image_example_gen.listing.catalogue import Layout
from components.image_example_gen.listing.entries import SkippedFile, printable
from components.image_example_gen.splitting.splits import Cut
from contracts import features
from contracts.errors import EXAMPLES_SHOWN
from contracts.whole_files import whole_file, write_whole

__all__ = ["INGESTED", "PART_PREFIX", "QUARANTINED", "FileRow"]  # the words of a row, too

DATASET_FILE = "dataset.json"

# How many are sorted at a time for the fingerprint: some ten MB.
_IMAGES_A_PASS = 250_000

_NUMBERS = ("width", "height", "file_bytes")
ROW = pa.schema(
    [(name, pa.int64() if name in _NUMBERS else pa.string()) for name in FileRow._fields]
)


@dataclass(frozen=True)
class Dataset:
    """What is in the data: found = ingested + quarantined, always."""

    listing_digest: str
    fingerprint: str
    settings: str  # digest of what else the examples follow from
    layout: str  # the sentence on what was inferred
    labels: tuple[str, ...]
    found: int
    ingested: int
    quarantined: int
    splits: dict[str, int]  # ingested, by split
    classes: dict[str, dict[str, int]]  # ingested, by class and split
    moved: dict[str, str]  # split by key, of keys that were moved so that splits get their parts
    example: str  # path of an ingested image, the first in order
    empty_classes: tuple[str, ...]
    quarantine_reasons: dict[str, int]
    quarantine_examples: dict[str, list[str]] = field(default_factory=dict)  # paths, by reason
    # The share of the training images that a split was to get, for the splits that were cut.
    parts: dict[str, float] = field(default_factory=dict)
    value_ranges: dict[str, ValueRange] = field(default_factory=dict)  # by kind of deep images

    def write(self, uri: str) -> None:
        """Put the counts beside the rows, whole or not at all."""
        write_whole(Path(uri, DATASET_FILE), json.dumps(asdict(self), indent=1))


def read_dataset(uri: str) -> Dataset:
    """Return the counts of the manifest at `uri`."""
    record = json.loads(Path(uri, DATASET_FILE).read_text(encoding="utf-8"))
    for key in ("labels", "empty_classes"):
        record[key] = tuple(record[key])
    ranges = record.pop("value_ranges", {})
    return Dataset(
        **record, value_ranges={kind: ValueRange(**values) for kind, values in ranges.items()}
    )


class PartWriter:
    """Writes one part file of the manifest; memory does not grow with its rows."""

    def __init__(self, table: pq.ParquetWriter) -> None:
        self._table = table
        self._rows: list[FileRow] = []

    def add(self, row: FileRow) -> None:
        """Append a row."""
        self._rows.append(row)
        if len(self._rows) == ROWS_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait for others."""
        if self._rows:
            self.add_group(self._rows)
            self._rows.clear()

    def add_group(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows that become a group of their own."""
        columns = zip(*rows, strict=True) if rows else [()] * len(ROW)
        arrays = [
            (_numbers if field.type == pa.int64() else _strings)(column)
            for field, column in zip(ROW, columns, strict=True)
        ]
        self._table.write_table(pa.Table.from_arrays(arrays, schema=ROW))


@contextmanager
def part_writer(uri: str, part: str) -> Iterator[PartWriter]:
    """Give a writer of a part that appears at the end of the block, whole, or not at all."""
    path = Path(uri, FILES_FOLDER, f"{part}.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial, pq.ParquetWriter(partial.path, ROW) as table:
        writer = PartWriter(table)
        yield writer
        writer.flush()


# From buffers: pyarrow imports pandas to look at Python values, which takes a third of a second,
# as its `Table.filter`, `sort_by`, `group_by` and `read_table` do; their likes in `compute` do not.
def _strings(values: Sequence[str | None]) -> pa.Array:
    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    buffers = [_validity(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def _numbers(values: Sequence[int | None]) -> pa.Array:
    numbers = np.array([value or 0 for value in values], np.int64)
    buffers = [_validity(values), pa.py_buffer(numbers)]
    return pa.Array.from_buffers(pa.int64(), len(values), buffers)


def _validity(values: Sequence[object]) -> pa.Buffer:
    is_known = [value is not None for value in values]
    return pa.py_buffer(np.packbits(np.array(is_known, bool), bitorder="little"))


def write_part(uri: str, part: str, suffix: str) -> None:
    """Make the table, named `part` and `suffix`, of the rows that a decode process has left."""
    left = rows_path(uri, part)
    with part_writer(uri, f"{part}{suffix}") as table:
        for rows in read_rows_file(left):
            table.add_group(rows)
    left.unlink()


def write_skipped(uri: str, skipped: Iterable[SkippedFile]) -> None:
    """Add what the listing left out."""
    with part_writer(uri, "skipped") as rows:
        for file in skipped:
            path = printable(file.path)
            rows.add(FileRow(path, None, None, None, QUARANTINED, file.reason, file.detail))


def read_rows(uri: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the row of every file, or some columns of it, in the order of the parts."""
    return pa.concat_tables([read_part(part, columns) for part in _parts(uri)])


def read_part(part: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a part; `pq.read_table` would import pandas."""
    with pq.ParquetFile(part) as file:
        if file.num_row_groups == 0:  # some versions of Arrow fail to read what has no rows
            empty = file.schema_arrow.empty_table()
            return empty if columns is None else empty.select(columns)
        return file.read(columns=columns)


def _parts(uri: str) -> list[Path]:
    return sorted(Path(uri, FILES_FOLDER).glob("*.parquet"))


def _fingerprint(uri: str, images: int) -> str:
    """Return the SHA-256 over content and label of every ingested image, sorted.

    The same pictures of the same classes have the same one on every machine, whatever they are
    called, in whatever order they are listed, and however they are split. Of many images only a
    share of the hash values is sorted at a time, so that memory does not grow with them.
    """
    passes = max(1, -(-images // _IMAGES_A_PASS))
    bounds = [f"{0x10000 * number // passes:04x}" for number in range(1, passes)]
    whole = hashlib.sha256()
    for first, end in zip([None, *bounds], [*bounds, None], strict=True):
        some = pa.concat_tables(_ingested_between(part, first, end) for part in _parts(uri))
        order = [("sha256", "ascending"), ("label", "ascending")]
        rows = pc.take(some, pc.sort_indices(some, sort_keys=order))
        for batch in rows.to_batches(ROWS_A_GROUP):
            # Arrow joins them: an object for each piece would take several times as long.
            lines = pc.binary_join_element_wise(batch["sha256"], batch["label"], _scalar("\t"))
            (text,) = pc.binary_join(_as_one_list(lines), _scalar("\n"))
            whole.update(f"{text}\n".encode())
    return whole.hexdigest()


# What Arrow makes of values of Python's it asks pandas about, and imports it: a fifth of a second.


def _scalar(text: str) -> pa.Scalar:
    raw = text.encode()
    buffers = [None, pa.py_buffer(np.array([0, len(raw)], np.int32)), pa.py_buffer(raw)]
    return pa.Array.from_buffers(pa.string(), 1, buffers)[0]


def _as_one_list(values: pa.Array) -> pa.ListArray:
    """Return a list array of one list, of all values."""
    offsets = pa.py_buffer(np.array([0, len(values)], np.int32))
    return pa.Array.from_buffers(pa.list_(values.type), 1, [None, offsets], children=[values])


def _ingested_between(part: Path, first: str | None, end: str | None) -> pa.Table:
    """Return content and label of the ingested images whose SHA-256 is in [first, end)."""
    rows = read_part(part, ["sha256", "label", "reason"])
    is_asked = pc.is_null(rows["reason"])
    if first is not None:
        is_asked = pc.and_(is_asked, pc.greater_equal(rows["sha256"], _scalar(first)))
    if end is not None:
        is_asked = pc.and_(is_asked, pc.less(rows["sha256"], _scalar(end)))
    return pc.filter(rows.select(["sha256", "label"]), is_asked)


def read_digests(uri: str, apart_from: str | None = None) -> Iterator[list[tuple[str, str]]]:
    """Give path and SHA-256 of every file that could be read, those of a part at a time.

    Parts that the manifest at `apart_from` has too are left out.
    """
    known = {part.name for part in _parts(apart_from)} if apart_from else set()
    for part in _parts(uri):
        if part.name not in known:
            table = read_part(part, ["path", "sha256"])
            rows = zip(table["path"].to_pylist(), table["sha256"].to_pylist(), strict=True)
            yield [(path, sha256) for path, sha256 in rows if sha256]


def holds_any(uri: str, paths: Sequence[str]) -> bool:
    """Tell whether an image at one of these paths was ingested."""
    wanted = _strings(paths)
    for part in _parts(uri):
        rows = read_part(part, ["path", "split"])
        is_held = pc.and_(pc.is_in(rows["path"], value_set=wanted), pc.is_valid(rows["split"]))
        if pc.any(is_held).as_py():
            return True
    return False


def read_groups(uri: str) -> dict[str, str]:
    """Return the group of every ingested image that has one, by path."""
    table = read_rows(uri, ["path", "group", "split"])
    grouped = table.filter(pc.and_(pc.is_valid(table["group"]), pc.is_valid(table["split"])))
    return dict(zip(grouped["path"].to_pylist(), grouped["group"].to_pylist(), strict=True))


def sum_up(uri: str, layout: Layout, cut: Cut, listing_digest: str, settings: str) -> Dataset:
    """Return the counts of the rows that stand at `uri`."""
    classes: dict[str, Counter[str]] = {label: Counter() for label in layout.labels}
    reasons: Counter[str] = Counter()
    examples: dict[str, list[str]] = defaultdict(list)
    firsts: list[str] = []
    for part in _parts(uri):
        rows = read_part(part, ["label", "split", "reason", "path"])
        good = pc.filter(rows, pc.is_null(rows["reason"]))
        for split in features.SPLITS:
            labels = pc.filter(good["label"], pc.equal(good["split"], _scalar(split)))
            for count in pc.value_counts(labels).to_pylist():
                classes[count["values"]][split] += count["counts"]
        firsts += [pc.min(good["path"]).as_py()] if len(good) else []
        bad = pc.filter(rows.select(["reason", "path"]), pc.is_valid(rows["reason"]))
        for reason, path in zip(*(column.to_pylist() for column in bad.columns), strict=True):
            reasons[reason] += 1
            if len(examples[reason]) < EXAMPLES_SHOWN:
                examples[reason].append(path)
    splits = {split: sum(counts[split] for counts in classes.values()) for split in features.SPLITS}
    ingested, quarantined = sum(splits.values()), reasons.total()
    return Dataset(
        listing_digest=listing_digest,
        fingerprint=_fingerprint(uri, ingested),
        settings=settings,
        layout=layout.description,
        labels=tuple(layout.labels),
        found=ingested + quarantined,
        ingested=ingested,
        quarantined=quarantined,
        splits=splits,
        classes={
            label: {split: counts[split] for split in features.SPLITS}
            for label, counts in classes.items()
        },
        moved=dict(sorted(cut.moved.items())),
        parts=dict(cut.shares),
        example=min(firsts, default=""),
        empty_classes=tuple(layout.empty_classes),
        quarantine_reasons=dict(sorted(reasons.items())),
        quarantine_examples=dict(sorted(examples.items())),
    )
