"""The manifest: a row for every file that was found, and the counts that sum them up."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.image_example_gen.listing import Layout
from contracts import features
from contracts.errors import EXAMPLES_SHOWN
from contracts.whole_files import write_whole

DATASET_FILE = "dataset.json"
FILES_FOLDER = "files"
PART_PREFIX = "part-"  # of the file of a shard's rows

INGESTED, QUARANTINED = "ingested", "quarantined"

_ROWS_A_GROUP = 4096


class FileRow(NamedTuple):
    """What became of a file; None where it is not known or does not apply."""

    path: str  # relative to the data root, valid text
    label: str | None
    split: str | None  # only of an ingested file
    group: str | None
    status: str  # INGESTED or QUARANTINED
    reason: str | None = None  # a stable name, only of a quarantined file
    detail: str | None = None  # a half sentence; of an ingested file, what was left out of it
    sha256: str | None = None  # lower-case hex of the file as it was found
    width: int | None = None  # pixels, upright
    height: int | None = None
    file_bytes: int | None = None
    source_format: str | None = None


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
    moved: dict[str, str]  # split by key, of keys that were moved so that no class lacks a split
    example: str  # path of an ingested image, the first in order
    empty_classes: tuple[str, ...]
    quarantine_reasons: dict[str, int]
    quarantine_examples: dict[str, list[str]] = field(default_factory=dict)  # paths, by reason

    def write(self, uri: str) -> None:
        """Put the counts beside the rows, whole or not at all."""
        write_whole(Path(uri, DATASET_FILE), json.dumps(asdict(self), indent=1))


def read_dataset(uri: str) -> Dataset:
    """Return the counts of the manifest at `uri`."""
    record = json.loads(Path(uri, DATASET_FILE).read_text(encoding="utf-8"))
    for key in ("labels", "empty_classes"):
        record[key] = tuple(record[key])
    return Dataset(**record)


class PartWriter:
    """Writes one part file of the manifest; memory does not grow with its rows.

    As a context manager it gives the file its name, with `suffix`, at the end of the block, and
    leaves nothing behind where the block raises.
    """

    def __init__(self, uri: str, part: str) -> None:
        folder = Path(uri, FILES_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        self.suffix = ""
        self._part = folder / part
        self._partial = folder / f".{part}.parquet.partial"
        self._writer = pq.ParquetWriter(self._partial, ROW)
        self._rows: list[FileRow] = []

    def add(self, row: FileRow) -> None:
        """Append a row."""
        self._rows.append(row)
        if len(self._rows) == _ROWS_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        columns = {name: [row[index] for row in self._rows] for index, name in enumerate(ROW.names)}
        self._writer.write_table(pa.table(columns, schema=ROW))
        self._rows.clear()

    def __enter__(self) -> "PartWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._flush()
            self._writer.close()
            if error is None:
                self._partial.replace(f"{self._part}{self.suffix}.parquet")
        finally:
            self._partial.unlink(missing_ok=True)


def read_rows(uri: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the row of every file, or some columns of it, in the order of the parts."""
    return pa.concat_tables([pq.read_table(part, columns=columns) for part in _parts(uri)])


def _parts(uri: str) -> list[Path]:
    return sorted(Path(uri, FILES_FOLDER).glob("*.parquet"))


def _fingerprint(ingested: pa.Table) -> str:
    """Return the SHA-256 over content and label of every ingested image, sorted.

    The same pictures of the same classes have the same one on every machine, whatever they are
    called, in whatever order they are listed, and however they are split.
    """
    rows = ingested.sort_by([("sha256", "ascending"), ("label", "ascending")])
    whole = hashlib.sha256()
    for batch in rows.to_batches(_ROWS_A_GROUP):
        lines = pc.binary_join_element_wise(batch["sha256"], batch["label"], "\t")
        whole.update("".join(f"{line}\n" for line in lines.to_pylist()).encode())
    return whole.hexdigest()


def read_digests(uri: str, apart_from: str | None = None) -> dict[str, str]:
    """Return the SHA-256 of every file that could be read, by path.

    Parts that the manifest at `apart_from` has too are left out.
    """
    known = {part.name for part in _parts(apart_from)} if apart_from else set()
    read: dict[str, str] = {}
    for part in _parts(uri):
        if part.name not in known:
            table = pq.read_table(part, columns=["path", "sha256"])
            read |= zip(table["path"].to_numpy(), table["sha256"].to_numpy(), strict=True)
    return {path: sha256 for path, sha256 in read.items() if sha256}


def read_groups(uri: str) -> dict[str, str]:
    """Return the group of every ingested image that has one, by path."""
    table = read_rows(uri, ["path", "group", "split"])
    grouped = table.filter(pc.and_(pc.is_valid(table["group"]), pc.is_valid(table["split"])))
    return dict(zip(grouped["path"].to_pylist(), grouped["group"].to_pylist(), strict=True))


def sum_up(
    uri: str, layout: Layout, moved: Mapping[str, str], listing_digest: str, settings: str
) -> Dataset:
    """Return the counts of the rows that stand at `uri`."""
    classes: dict[str, Counter[str]] = {label: Counter() for label in layout.labels}
    reasons: Counter[str] = Counter()
    examples: dict[str, list[str]] = defaultdict(list)
    rows = read_rows(uri, ["label", "split", "reason", "path", "sha256"])
    good = rows.filter(pc.is_null(rows["reason"]))
    for group in good.group_by(["label", "split"]).aggregate([("path", "count")]).to_pylist():
        classes[group["label"]][group["split"]] += group["path_count"]
    for row in rows.filter(pc.is_valid(rows["reason"])).to_pylist():
        reasons[row["reason"]] += 1
        if len(examples[row["reason"]]) < EXAMPLES_SHOWN:
            examples[row["reason"]].append(row["path"])
    splits = {split: sum(counts[split] for counts in classes.values()) for split in features.SPLITS}
    ingested, quarantined = sum(splits.values()), reasons.total()
    return Dataset(
        listing_digest=listing_digest,
        fingerprint=_fingerprint(good),
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
        moved=dict(sorted(moved.items())),
        example=str(pc.min(good["path"])) if len(good) else "",
        empty_classes=tuple(layout.empty_classes),
        quarantine_reasons=dict(sorted(reasons.items())),
        quarantine_examples=dict(sorted(examples.items())),
    )
