"""Decides whether a candidate may be pushed; anything missing or unreadable is a no."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.config import EvaluationConfig
from contracts.evaluation import Metrics
from contracts.whole_files import write_whole

DECISION_FILE = "decision.json"


@dataclass(frozen=True)
class Check:
    """One limit, whether the candidate keeps it, and the sentence that says so."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Decision:
    """The gate's word: blessed when there are checks and all of them passed."""

    checks: tuple[Check, ...]

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
        record = {"blessed": self.blessed, "checks": [asdict(check) for check in self.checks]}
        write_whole(folder / DECISION_FILE, json.dumps(record, indent=1))

    @classmethod
    def read(cls, folder: Path) -> "Decision":
        """Return the decision in `folder`."""
        record = json.loads((folder / DECISION_FILE).read_text(encoding="utf-8"))
        return cls(tuple(Check(**check) for check in record["checks"]))


def decide(evaluation: Path, config: EvaluationConfig) -> Decision:
    """Return whether the candidate of an evaluation folder keeps every limit, and why."""
    try:
        metrics = Metrics.read(evaluation)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        sentence = f"The evaluation in {evaluation} cannot be read ({reason})."
        return Decision((Check("evaluation", False, sentence),))
    checks = [_value_check(metrics, config)]
    if metrics.champion is not None:
        checks.append(_change_check(metrics, metrics.champion.accuracy, config))
    return Decision(tuple(checks))


def _value_check(metrics: Metrics, config: EvaluationConfig) -> Check:
    accuracy, limit = metrics.candidate.accuracy, config.min_accuracy
    passed = accuracy >= limit
    return Check(
        "min_accuracy",
        passed,
        f"Accuracy {accuracy:.4f} on {metrics.examples:,} test images is "
        f"{'at least' if passed else 'below'} evaluation.min_accuracy {limit:g} "
        f"(always saying the largest class: {metrics.largest_class_share:.4f}).",
    )


def _change_check(metrics: Metrics, champion: float, config: EvaluationConfig) -> Check:
    drop, limit = champion - metrics.candidate.accuracy, config.max_accuracy_drop
    # Accuracies are counts over the same images: differences are rounded to single images.
    passed = round(drop * metrics.examples, 6) <= round(limit * metrics.examples, 6)
    return Check("max_accuracy_drop", passed, _change_sentence(metrics, champion, limit, passed))


def _change_sentence(metrics: Metrics, champion: float, limit: float, passed: bool) -> str:
    accuracy = metrics.candidate.accuracy
    of_champion = f"the champion's {champion:.4f} (version {metrics.champion_version})"
    if accuracy == champion:
        return f"Accuracy {accuracy:.4f} equals {of_champion}."
    if accuracy > champion:
        return f"Accuracy {accuracy:.4f} is {accuracy - champion:.4f} above {of_champion}."
    return (
        f"Accuracy {accuracy:.4f} is {champion - accuracy:.4f} below {of_champion}, "
        f"{'within' if passed else 'more than'} evaluation.max_accuracy_drop {limit:g}."
    )
