"""What was found in the images: a list of issues, written as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from contracts.config.validation import Severity
from contracts.system.atomic_files import write_whole

ISSUES_FILE = "issues.json"
# Pictures of a group that a sentence names.
_SHOWN = 3


@dataclass(frozen=True)
class Issue:
    """What one check found.

    `groups` are the paths of the pictures that belong together; a single picture is a group of one.
    Findings that concern no picture have no groups. `details` says what each finding is, where the
    paths do not. `count` is the number of findings.
    """

    name: str
    severity: Severity
    count: int
    groups: list[list[str]] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    least: int = 1  # the least number of findings that is reported

    @property
    def sentence(self) -> str:
        """What was found, an example of it, and what to do."""
        expected = "none" if self.least == 1 else f"fewer than {self.least:,}"
        pictures = [" = ".join(group[:_SHOWN]) for group in self.groups[:1]]
        example = ": ".join([*self.details[:1], *pictures])
        return (
            f"validation.{self.name}: expected {expected}, found {self.count:,}, e.g. {example}. "
            "Correct the data (`imgpipe data report` shows all that was found), "
            "or set the severity to warn."
        )


@dataclass(frozen=True)
class DataReport:
    """All issues of the data, the failing ones first, and notes on what could not be judged."""

    issues: list[Issue]
    notes: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        """Why the data must not be trained on, a sentence each; empty if the data is blessed."""
        return [issue.sentence for issue in self.issues if issue.severity == "fail"]

    def write(self, uri: str) -> None:
        """Put the issues into a folder, whole or not at all."""
        write_whole(Path(uri, ISSUES_FILE), json.dumps(asdict(self), indent=1, ensure_ascii=False))


def read_report(uri: str) -> DataReport:
    """Return what `write` put there."""
    record = json.loads(Path(uri, ISSUES_FILE).read_text(encoding="utf-8"))
    return DataReport([Issue(**issue) for issue in record["issues"]], record["notes"])
