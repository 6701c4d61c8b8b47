"""The best values of a search as YAML for pipeline.yaml."""

from pathlib import Path
from typing import Any

import yaml

from contracts.config.key_paths import key_path
from contracts.config.loading.config_paths import relative_at
from contracts.config.loading.nested_values import with_value
from contracts.config.search import SearchConfig
from contracts.system.atomic_files import write_whole
from trainer.search.ledger import Ledger

BEST_FILE = "best.yaml"


def write_best(path: Path, search: SearchConfig, ledger: Ledger, config_folder: str) -> None:
    """Write the keys that were searched with their best values, and where these come from.

    Paths below the config's folder become relative to it; "": the folder is not known.
    """
    best = ledger.best(search.objective)
    if best is None:
        raise ValueError("no trial of the ledger has a score")
    trials = list(ledger)
    failed = sum(trial.status == "failed" for trial in trials)
    values: Any = {}
    for key, value in best.values.items():
        value = relative_at(key, value, Path(config_folder)) if config_folder else value
        values = with_value(values, key_path(key), value)
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None)
    write_whole(
        path,
        f"# {search.objective} {best.score:.4f} in trial {ledger.place(best)} of {len(trials)} "
        f"({search.algorithm}; {failed} failed), {best.epochs} epochs.\n{text}",
    )
