"""The counts that sum a manifest up: dataset.json."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from contracts.artifacts.manifest.value_range import ValueRange
from contracts.system.atomic_files import write_whole

DATASET_FILE = "dataset.json"


@dataclass(frozen=True)
class Dataset:
    """The counts of the data; always found = ingested + quarantined."""

    listing_digest: str
    fingerprint: str
    settings: str  # digest of the settings and the code of the ingestion
    layout: str  # sentences on what the listing inferred
    labels: tuple[str, ...]
    found: int
    ingested: int
    quarantined: int
    splits: dict[str, int]  # ingested, by split
    classes: dict[str, dict[str, int]]  # ingested, by class and split
    moved: dict[str, str]  # split by key, for keys that were moved to balance small classes
    example: str  # path of an ingested image, the first in order
    empty_classes: tuple[str, ...]
    quarantine_reasons: dict[str, int]
    quarantine_examples: dict[str, list[str]] = field(default_factory=dict)  # paths, by reason
    # Configured share of the training images, for the splits that were cut.
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
