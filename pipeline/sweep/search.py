"""`imgpipe sweep --search`: runs the DAG up to the Tuner, and shows or writes the best values."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from contracts.system.errors import InputError
from pipeline.commands.next_command import next_command, short_path
from pipeline.component_ids import TUNER
from pipeline.local.runner import run_pipeline
from pipeline.preflight.preflight import Preflight
from pipeline.summary import Summary
from pipeline.summary_table import console_on, print_failure
from pipeline.sweep.best_config import require_target, write_best_config
from trainer.search.best import BEST_FILE
from trainer.search.ledger import LEDGER_FILE, Ledger, TrialRecord

TRIALS_SHOWN = 10


def search(checked: Preflight, args: argparse.Namespace) -> int:
    """Search, show the best trials, and write the best values where --write asks for it.

    Raises:
      InputError: search.space is empty; or `--write` names a file that cannot be written; or the
        config is not valid with the best values, which are shown first.
    """
    if not checked.config.search.space:
        raise InputError(
            f"{args.config}: search.space: expected keys and their values, such as "
            "`trainer.learning_rate: {low: 1.0e-4, high: 1.0e-2, scale: log}`, received none."
        )
    if args.write is not None:
        require_target(args.write, args.config, checked.config.search)
    summary = run_pipeline(checked, args.workspace, TUNER)
    if summary.status == "failed":
        return print_failure(summary, args.workspace)
    ledger = Ledger(Path(summary.tuner_results, LEDGER_FILE))
    objective = checked.config.search.objective
    best = ledger.best(objective)
    assert best is not None  # without a trial that has a score, the Tuner fails
    if args.json:
        print(json.dumps(_as_json(best, ledger, objective, summary), indent=1, ensure_ascii=False))
    else:
        _print_trials(ledger, objective)
        best_yaml = _best_yaml(summary)
        print(f"\n{best_yaml.read_text(encoding='utf-8')}\nBest values: {short_path(best_yaml)}")
    note = ""
    if args.write is not None:
        note = write_best_config(args.write, args.config, best.values, args.overrides)
    if not args.json:
        print(_next(args, note))
    elif note:
        print(f"imgpipe: {args.write}: {note}", file=sys.stderr)
    return 0


def _as_json(best: TrialRecord, ledger: Ledger, objective: str, summary: Summary) -> dict[str, Any]:
    return {
        "objective": objective,
        "best": {"values": best.values, "score": best.score, "epochs": best.epochs},
        "best_yaml": str(_best_yaml(summary)),
        "trials": [
            {"values": one.values, "epochs": one.epochs, "score": one.score, "why": one.why}
            for one in ledger
        ],
    }


def _best_yaml(summary: Summary) -> Path:
    return Path(summary.best_hyperparameters, BEST_FILE)


def _next(args: argparse.Namespace, note: str) -> str:
    if args.write is None:
        return "`--write FILE` writes the whole config with them in place."
    written_args = argparse.Namespace(**{**vars(args), "config": args.write})
    written = f"Config with them: {args.write}" + (f"\n{note}" if note else "")
    return f"{written}\nNext: {next_command('run', written_args)}"


def _print_trials(ledger: Ledger, objective: str) -> None:
    trials = list(enumerate(ledger, start=1))
    sign = 1 if objective.endswith("loss") else -1
    scored = sorted(
        (sign * one.score, number, one) for number, one in trials if one.score is not None
    )
    failed = [(number, one) for number, one in trials if one.score is None]
    ranked = [*((number, one) for _, number, one in scored), *failed]
    keys = list(trials[0][1].values)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("trial", objective, "epochs"):
        table.add_column(column, justify="right", no_wrap=True)
    for key in keys:
        table.add_column(key.rpartition(".")[2], overflow="fold")
    for number, one in ranked[:TRIALS_SHOWN]:
        score = Text("failed", style="red") if one.score is None else f"{one.score:.4f}"
        values = (Text(_shown(one.values[key])) for key in keys)
        table.add_row(f"{number}", score, f"{one.epochs}", *values)
    console = console_on(sys.stdout)
    console.print()
    console.print(table)
    for number, one in failed[:3]:
        console.print(f"Failed, trial {number}: {one.why}", markup=False, soft_wrap=True)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value)
