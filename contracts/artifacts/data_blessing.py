"""Whether the data may be trained on, and why not."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.system.atomic_files import write_whole

BLESSING_FILE = "data_blessing.json"


@dataclass(frozen=True)
class DataVerdict:
    """The validator's decision, and the data that it is about."""

    blessed: bool
    reasons: list[str]
    listing_digest: str
    fingerprint: str

    def write(self, uri: str) -> None:
        """Put it into a folder, whole or not at all."""
        write_whole(Path(uri, BLESSING_FILE), json.dumps(asdict(self), indent=1))


def read_verdict(uri: str) -> DataVerdict:
    """Return what `write` put there."""
    record = json.loads(Path(uri, BLESSING_FILE).read_text(encoding="utf-8"))
    record.pop("statistics", None)  # a path, in files of version 0.1
    return DataVerdict(**record)
