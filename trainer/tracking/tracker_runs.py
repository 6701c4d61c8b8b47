"""The tracker runs of a training, kept with its checkpoint: a resumed training continues them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from contracts.system.atomic_files import write_whole

FILE = "runs.json"


@dataclass(frozen=True)
class TrackerRuns:
    """The name of the runs, and the id by which each tracker finds its own."""

    name: str
    ids: Mapping[str, str] = field(default_factory=dict)  # by tracker

    def write(self, folder: Path) -> None:
        """Put them into a checkpoint's folder."""
        write_whole(folder / FILE, json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "TrackerRuns | None":
        """Return those in a checkpoint's folder; None where the training has none yet."""
        try:
            return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
