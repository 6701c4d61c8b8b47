"""The results of a search's trials, kept so that a search that was killed goes on."""

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from contracts.config.search import KeyValues
from contracts.system.atomic_files import write_whole
from contracts.system.errors import ComponentError

LEDGER_FILE = "trials.json"
LOG_FILE = "search.log"

# After so many kills a trial counts as failed: it takes too much memory, or something else.
MOST_BEGINNINGS = 2


@dataclass
class TrialRecord:
    """One training of a search."""

    values: dict[str, JsonValue]  # dotted key -> value
    epochs: int
    status: Literal["running", "completed", "failed"] = "running"
    begun: int = 1  # how often: more than once where the process was killed in it
    score: float | None = None  # the objective
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    why: str = ""  # it failed
    is_logged: bool = False  # in MLflow

    @property
    def kills(self) -> bool:
        """Whether it is not trained again, since the process was killed in it too often."""
        return self.begun > MOST_BEGINNINGS


class Ledger:
    """The trials of one search by their values, in the order in which they began.

    It stands on the disk whole after every change. A trial whose result is known need not be
    trained again: the same values, data and seed give the same. One that failed before the ledger
    was opened is begun anew, once: what was in its way may be gone. One that kills the process
    stays failed, or no search would come to its end.

    Every method that writes raises ComponentError where the disk does not take it.
    """

    def __init__(self, path: Path) -> None:
        """Go on with the ledger at `path`, or begin one there; folders are made."""
        self._path = path
        self._records: dict[str, TrialRecord] = {}
        self.mlflow_run_id = ""
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            self.mlflow_run_id = known["mlflow_run_id"]
            for one in known["trials"]:
                record = TrialRecord(**one)
                self._records[_key(record.values, record.epochs)] = record
        self._to_try_again = {
            key
            for key, record in self._records.items()
            if record.status == "failed" and not record.kills
        }

    def __iter__(self) -> Iterator[TrialRecord]:
        """Give the trials, the first first."""
        return iter(self._records.values())

    @property
    def folder(self) -> Path:
        """The folder of the ledger."""
        return self._path.parent

    def place(self, record: TrialRecord) -> int:
        """Return the number of a trial, from 1."""
        return next(at for at, one in enumerate(self, start=1) if one is record)

    def use_run(self, run_id: str) -> None:
        """Log to this MLflow run; one that is not the run so far has none of the trials."""
        if run_id != self.mlflow_run_id:
            for record in self:
                record.is_logged = False
        self.mlflow_run_id = run_id
        self.write()

    def begin(self, values: KeyValues, epochs: int) -> TrialRecord:
        """Return the record of the trial with these values, begun now where it has not ended."""
        key = _key(values, epochs)
        record = self._records.get(key)
        if record is None or key in self._to_try_again:
            self._to_try_again.discard(key)
            record = self._records[key] = TrialRecord(dict(values), epochs)
        elif record.status == "running":
            record.begun += 1
        self.write()
        return record

    def take_back(self, record: TrialRecord) -> None:
        """Do not count the last start of the trial: what ended it was not the trial itself."""
        record.begun -= 1
        self.write()

    def log(self, record: TrialRecord) -> Path:
        """Add the trace of the exception that is handled to the log, and return where that lies."""
        path = self._path.with_name(LOG_FILE)
        with _writing(path), path.open("a", encoding="utf-8") as file:
            file.write(f"{_key(record.values, record.epochs)}\n{traceback.format_exc()}\n")
        return path

    def best(self, objective: str) -> TrialRecord | None:
        """Return the trial with the best score, the first of equals; None where none has one."""
        scored = [(record.score, record) for record in self if record.score is not None]
        choose = min if objective.endswith("loss") else max
        return choose(scored, key=lambda pair: pair[0])[1] if scored else None

    def write(self) -> None:
        """Put the ledger on the disk, whole or not at all."""
        self.write_to(self._path)

    def write_to(self, path: Path) -> None:
        """Put a copy at `path`, whole or not at all."""
        trials = [asdict(record) for record in self]
        content = {"mlflow_run_id": self.mlflow_run_id, "trials": trials}
        with _writing(path):
            write_whole(path, json.dumps(content, indent=1, ensure_ascii=False))


def _key(values: KeyValues, epochs: int) -> str:
    return json.dumps([values, epochs], sort_keys=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ComponentError(
            f"Tuner: expected {path} to be written, received: {error.strerror}. Make room or give "
            "the right to it, and search again: what is finished is used again."
        ) from error
