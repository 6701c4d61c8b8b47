"""Completes a manifest: rows of the skipped entries, and the counts of all rows."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from components.image_example_gen.listing.entries import SkippedFile, printable
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.splitting.splits import SplitPlan
from contracts.artifacts import features
from contracts.artifacts.manifest.dataset import Dataset
from contracts.artifacts.manifest.file_row import QUARANTINED, ROWS_A_GROUP, FileRow
from contracts.artifacts.manifest.rows import part_writer, parts, read_part
from contracts.system.errors import EXAMPLES_SHOWN

# Images that are sorted at a time for the fingerprint: about 10 MB.
_IMAGES_A_PASS = 250_000


def write_skipped(uri: str, skipped: Iterable[SkippedFile]) -> None:
    """Write a row for each entry that the listing skipped."""
    with part_writer(uri, "skipped") as rows:
        for file in skipped:
            path = printable(file.path)
            rows.add(FileRow(path, None, None, None, QUARANTINED, file.reason, file.detail))


@dataclass(frozen=True)
class _RowCounts:
    """Counts of manifest rows: ingested by class and split, quarantined by reason."""

    classes: dict[str, Counter[str]]
    reasons: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    first_paths: list[str] = field(default_factory=list)  # of the ingested images of each part

    def add(self, rows: pa.Table) -> None:
        """Count the rows of a part."""
        good = pc.filter(rows, pc.is_null(rows["reason"]))
        for split in features.SPLITS:
            labels = pc.filter(good["label"], pc.equal(good["split"], split))
            for count in pc.value_counts(labels).to_pylist():
                self.classes[count["values"]][split] += count["counts"]
        if len(good):
            self.first_paths.append(pc.min(good["path"]).as_py())
        bad = pc.filter(rows.select(["reason", "path"]), pc.is_valid(rows["reason"]))
        for reason, path in zip(*(column.to_pylist() for column in bad.columns), strict=True):
            self.reasons[reason] += 1
            if len(self.examples[reason]) < EXAMPLES_SHOWN:
                self.examples[reason].append(path)


def summarise(
    uri: str, layout: Layout, plan: SplitPlan, listing_digest: str, settings: str
) -> Dataset:
    """Return the counts of the rows at `uri`."""
    rows = _RowCounts({label: Counter() for label in layout.labels})
    for part in parts(uri):
        rows.add(read_part(part, ["label", "split", "reason", "path"]))
    splits = {
        split: sum(counts[split] for counts in rows.classes.values()) for split in features.SPLITS
    }
    ingested, quarantined = sum(splits.values()), rows.reasons.total()
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
            for label, counts in rows.classes.items()
        },
        moved=dict(sorted(plan.moved.items())),
        parts=dict(plan.shares),
        example=min(rows.first_paths, default=""),
        empty_classes=tuple(layout.empty_classes),
        quarantine_reasons=dict(sorted(rows.reasons.items())),
        quarantine_examples=dict(sorted(rows.examples.items())),
    )


def _fingerprint(uri: str, images: int) -> str:
    """Return the SHA-256 over content and label of every ingested image, sorted.

    The same images of the same classes have the same fingerprint on every machine: names, order
    and splits do not count. Only a range of the hash values is sorted at a time, so that memory
    does not grow with the images.
    """
    passes = max(1, -(-images // _IMAGES_A_PASS))
    bounds = [f"{0x10000 * number // passes:04x}" for number in range(1, passes)]
    whole = hashlib.sha256()
    for first, end in zip([None, *bounds], [*bounds, None], strict=True):
        some = pa.concat_tables(_ingested_between(part, first, end) for part in parts(uri))
        rows = some.sort_by([("sha256", "ascending"), ("label", "ascending")])
        for batch in rows.to_batches(ROWS_A_GROUP):
            # Arrow joins the pieces: a Python object for each would take several times as long.
            lines = pc.binary_join_element_wise(batch["sha256"], batch["label"], "\t")
            (text,) = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")
            whole.update(f"{text}\n".encode())
    return whole.hexdigest()


def _ingested_between(part: Path, first: str | None, end: str | None) -> pa.Table:
    """Return content and label of the ingested images whose SHA-256 is in [first, end)."""
    rows = read_part(part, ["sha256", "label", "reason"])
    is_asked = pc.is_null(rows["reason"])
    if first is not None:
        is_asked = pc.and_(is_asked, pc.greater_equal(rows["sha256"], first))
    if end is not None:
        is_asked = pc.and_(is_asked, pc.less(rows["sha256"], end))
    return pc.filter(rows.select(["sha256", "label"]), is_asked)
