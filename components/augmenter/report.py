"""What the Augmenter leaves behind: policy.json, mosaics, and what the probe says, as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from components.augmenter.probe import Confusion, ProbeReport
from contracts.augmentation_policy import POLICY_FILE, Policy
from contracts.whole_files import write_whole

REPORT_FILE: Final = "augmentation.json"
MOSAICS: Final = "mosaics"  # folder of the pictures
BATCHES: Final = ("batch_1", "batch_2")


@dataclass(frozen=True)
class AugmentationReport:
    """The policy and what was seen of it.

    `mosaics` are PNG files, relative to the artifact, by operation; those of BATCHES are of whole
    batches, on which everything is done.
    `copies` are the further training examples that were made, by class.
    """

    policy: Policy
    mosaics: dict[str, str] = field(default_factory=dict)
    probe: ProbeReport | None = None  # None: it was not asked
    copies: dict[str, int] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """Sentences on operations that destroy meaning."""
        return self.probe.warnings if self.probe else []

    @property
    def notes(self) -> list[str]:
        """Sentences on what could not be judged, and on the copies."""
        notes = list(self.probe.notes) if self.probe else []
        if self.copies:
            count, classes = sum(self.copies.values()), len(self.copies)
            notes.append(f"{count:,} changed copies were made for {classes:,} small classes.")
        return notes

    def write(self, uri: str) -> None:
        """Put policy and report into a folder, each whole or not at all."""
        write_whole(Path(uri, POLICY_FILE), self.policy.model_dump_json(indent=1))
        record = {
            "warnings": self.warnings,
            "notes": self.notes,
            "mosaics": self.mosaics,
            "probe": asdict(self.probe) if self.probe else None,
            "copies": self.copies,
        }
        write_whole(Path(uri, REPORT_FILE), json.dumps(record, indent=1, ensure_ascii=False))


def read_augmentation(uri: str) -> AugmentationReport:
    """Return what `write` put there."""
    policy = Policy.model_validate_json(Path(uri, POLICY_FILE).read_bytes())
    record = json.loads(Path(uri, REPORT_FILE).read_text(encoding="utf-8"))
    found = record["probe"]
    if found is not None:
        confusions = {
            name: [Confusion(**one) for one in some] for name, some in found["confusions"].items()
        }
        found = ProbeReport(**{**found, "confusions": confusions})
    return AugmentationReport(policy, record["mosaics"], found, record["copies"])
