"""The best values of a search as YAML that pipeline.yaml takes over as it is."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from contracts.search import SearchConfig
from contracts.whole_files import write_whole
from contracts.yaml_marks import with_value
from trainer.search.ledger import TrialRecord

BEST_FILE = "best.yaml"


def write_best(
    path: Path, search: SearchConfig, trials: Iterable[TrialRecord], best: TrialRecord
) -> None:
    """Write the keys that were searched with their best values, and where these come from."""
    trials = list(trials)
    failed = sum(trial.status == "failed" for trial in trials)
    place = next(at for at, trial in enumerate(trials, start=1) if trial is best)
    values: dict = {}
    for key, value in best.values.items():
        values = with_value(values, tuple(key.split(".")), value)
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None)
    write_whole(
        path,
        f"# {search.objective} {best.score:.4f}: trial {place} of {len(trials)} ({search.algorithm}"
        f"{f', {failed} failed' if failed else ''}), {best.epochs} epochs.\n{text}",
    )
