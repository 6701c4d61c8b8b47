"""What a listing and an ingestion come to: the skipped entries, and the counts of all rows."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from components.image_example_gen.listing.catalogue import Layout
from components.image_example_gen.listing.entries import SkippedFile, printable
from components.image_example_gen.splitting.splits import SplitPlan
from contracts.artifacts import features
from contracts.artifacts.manifest.dataset import Dataset
from contracts.artifacts.manifest.file_row import QUARANTINED, ROWS_A_GROUP, FileRow
from contracts.artifacts.manifest.rows import part_writer, parts, read_part
from contracts.system.errors import EXAMPLES_SHOWN

# How many are sorted at a time for the fingerprint: some ten MB.
_IMAGES_A_PASS = 250_000


def write_skipped(uri: str, skipped: Iterable[SkippedFile]) -> None:
    """Add what the listing left out."""
    with part_writer(uri, "skipped") as rows:
        for file in skipped:
            path = printable(file.path)
            rows.add(FileRow(path, None, None, None, QUARANTINED, file.reason, file.detail))


def sum_up(
    uri: str, layout: Layout, plan: SplitPlan, listing_digest: str, settings: str
) -> Dataset:
    """Return the counts of the rows that stand at `uri`."""
    classes: dict[str, Counter[str]] = {label: Counter() for label in layout.labels}
    reasons: Counter[str] = Counter()
    examples: dict[str, list[str]] = defaultdict(list)
    firsts: list[str] = []
    for part in parts(uri):
        rows = read_part(part, ["label", "split", "reason", "path"])
        good = pc.filter(rows, pc.is_null(rows["reason"]))
        for split in features.SPLITS:
            labels = pc.filter(good["label"], pc.equal(good["split"], split))
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
        moved=dict(sorted(plan.moved.items())),
        parts=dict(plan.shares),
        example=min(firsts, default=""),
        empty_classes=tuple(layout.empty_classes),
        quarantine_reasons=dict(sorted(reasons.items())),
        quarantine_examples=dict(sorted(examples.items())),
    )


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
        some = pa.concat_tables(_ingested_between(part, first, end) for part in parts(uri))
        rows = some.sort_by([("sha256", "ascending"), ("label", "ascending")])
        for batch in rows.to_batches(ROWS_A_GROUP):
            # Arrow joins them: an object for each piece would take several times as long.
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
