"""What the Augmenter writes: policy.json, mosaics, and the findings of the probe as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from contracts.config.augmentation.policy import POLICY_FILE, Policy
from contracts.system.atomic_files import write_whole

REPORT_FILE: Final = "augmentation.json"
MOSAICS: Final = "mosaics"  # folder of the pictures
BATCHES: Final = ("batch_1", "batch_2")

_PAIRS_SHOWN: Final = 3


@dataclass(frozen=True)
class Confusion:
    """How many images of a class an operation makes the probe take for another."""

    label: str
    taken_for: str
    images: int  # of the class that it recognised before
    lost: float  # part of them that it no longer recognises
    taken: float  # part that it takes for the other class


@dataclass(frozen=True)
class ProbeReport:
    """What the probe found: confusions by operation, the worst first, and what it cannot judge."""

    images: int = 0
    accuracy: float = 0.0
    confusions: dict[str, list[Confusion]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """A sentence for each operation that destroys meaning."""
        return [_warning(name, found) for name, found in self.confusions.items()]


@dataclass(frozen=True)
class AugmentationFindings:
    """The policy and what it does to the images.

    `mosaics` are PNG files, relative to the artifact, by operation; those of BATCHES show whole
    batches after the whole policy. `copies` are the further training examples that were made, by
    class.
    """

    policy: Policy
    mosaics: dict[str, str] = field(default_factory=dict)
    probe: ProbeReport | None = None  # None: it did not run
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


def read_augmentation(uri: str) -> AugmentationFindings:
    """Return what `write` put there."""
    policy = Policy.model_validate_json(Path(uri, POLICY_FILE).read_bytes())
    record = json.loads(Path(uri, REPORT_FILE).read_text(encoding="utf-8"))
    found = record["probe"]
    if found is not None:
        confusions = {
            name: [Confusion(**one) for one in some] for name, some in found["confusions"].items()
        }
        found = ProbeReport(**{**found, "confusions": confusions})
    return AugmentationFindings(policy, record["mosaics"], found, record["copies"])


def _warning(name: str, confusions: Sequence[Confusion]) -> str:
    shown = confusions[:_PAIRS_SHOWN]
    pairs = [f"{one.label} for {one.taken_for} ({one.taken:.0%})" for one in shown]
    more = len(confusions) - len(shown)
    rest = f" and {more} more" if more else ""
    key = (
        "augmentation.rand_augment" if name == "rand_augment" else f"augmentation.operations.{name}"
    )
    remedy = (
        "Lower its magnitude, or take operations out of it (null)"
        if name == "rand_augment"
        else f"Take it out ({name}: null), narrow its range, or spare these classes (except)"
    )
    return (
        f"{key}: it makes classes look like others; a quick probe then takes "
        f"{', '.join(pairs)}{rest}. {remedy}."
    )
