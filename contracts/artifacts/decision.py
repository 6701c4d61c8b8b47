"""What a ModelBlessing artifact holds: the limits, and whether the candidate keeps each."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contracts.system.atomic_files import write_whole

DECISION_FILE = "decision.json"


@dataclass(frozen=True)
class GateCheck:
    """One limit, whether the candidate keeps it, and the sentence that says so."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Floor:
    """The accuracy that a candidate has to reach, or to exceed where it is the largest class's."""

    accuracy: float
    source: str  # evaluation.min_accuracy, or largest_class


@dataclass(frozen=True)
class Decision:
    """The gate's decision: blessed when there are checks and all of them passed."""

    checks: tuple[GateCheck, ...]
    floor: Floor | None = None  # None: the evaluation cannot be read
    warnings: tuple[str, ...] = ()  # what the test images cannot show

    @property
    def blessed(self) -> bool:
        """Whether the candidate may be pushed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def reasons(self) -> list[str]:
        """The sentences that decided: those of the failed checks, of all checks if none failed."""
        failed = [check.sentence for check in self.checks if not check.passed]
        return failed or [check.sentence for check in self.checks]

    def write(self, folder: Path) -> None:
        """Put the decision and its reasons into `folder`."""
        record = {"blessed": self.blessed, **asdict(self)}
        write_whole(folder / DECISION_FILE, json.dumps(record, indent=1))

    @classmethod
    def read(cls, folder: Path) -> "Decision":
        """Return the decision in `folder`."""
        record: dict[str, Any] = json.loads((folder / DECISION_FILE).read_text(encoding="utf-8"))
        floor = record["floor"]
        return cls(
            tuple(GateCheck(**check) for check in record["checks"]),
            Floor(**floor) if floor else None,
            tuple(record["warnings"]),
        )
