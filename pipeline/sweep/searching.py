"""`imgpipe sweep --search`: the DAG up to the Tuner, and its best values for the user to take."""

import argparse
import json
import sys
from pathlib import Path

from rich.table import Table
from rich.text import Text

from contracts.system.errors import InputError
from pipeline.commands.following import following, short
from pipeline.component_ids import TUNER
from pipeline.local.runner import run_pipeline
from pipeline.preflight import Preflight
from pipeline.summary import Summary
from pipeline.summary_table import console_on, tell_failure
from pipeline.sweep.best_config import require_target, write_best_config
from trainer.search.best import BEST_FILE
from trainer.search.ledger import LEDGER_FILE, Ledger

TRIALS_SHOWN = 10


def search(checked: Preflight, args: argparse.Namespace) -> int:
    """Search, show the best trials, and write what was asked for.

    Raises:
      InputError: there is nothing to search, or `--write` names a place that does not do, or the
        best values make no valid config in place; they are shown before that is told.
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
        return tell_failure(summary, args.workspace)
    ledger = Ledger(Path(summary.tuner_results, LEDGER_FILE))
    best = ledger.best(checked.config.search.objective)
    assert best is not None  # or the Tuner would have failed
    _print(checked, summary, ledger, args)
    note = ""
    if args.write is not None:
        note = write_best_config(args.write, args.config, best.values, args.overrides)
    if not args.json:
        print(_next(args, note))
    elif note:
        print(f"imgpipe: {args.write}: {note}", file=sys.stderr)
    return 0


def _print(checked: Preflight, summary: Summary, ledger: Ledger, args: argparse.Namespace) -> None:
    objective = checked.config.search.objective
    best = ledger.best(objective)
    best_yaml = Path(summary.best_hyperparameters, BEST_FILE)
    if args.json:
        told = {
            "objective": objective,
            "best": {"values": best.values, "score": best.score, "epochs": best.epochs},
            "best_yaml": str(best_yaml),
            "trials": [
                {"values": one.values, "epochs": one.epochs, "score": one.score, "why": one.why}
                for one in ledger
            ],
        }
        print(json.dumps(told, indent=1, ensure_ascii=False))
        return
    _print_trials(ledger, objective)
    print(f"\n{best_yaml.read_text(encoding='utf-8')}\nBest values: {short(best_yaml)}")


def _next(args: argparse.Namespace, note: str) -> str:
    if args.write is None:
        return "`--write FILE` writes the whole config with them in place."
    told_args = argparse.Namespace(**{**vars(args), "config": args.write})
    written = f"Config with them: {args.write}" + (f"\n{note}" if note else "")
    return f"{written}\nNext: {following('run', told_args)}"


def _print_trials(ledger: Ledger, objective: str) -> None:
    trials = list(enumerate(ledger, start=1))
    scored = [one for one in trials if one[1].score is not None]
    scored.sort(key=lambda one: one[1].score, reverse=not objective.endswith("loss"))
    failed = [one for one in trials if one[1].score is None]
    keys = list(trials[0][1].values)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("trial", objective, "epochs"):
        table.add_column(column, justify="right", no_wrap=True)
    for key in keys:
        table.add_column(key.rpartition(".")[2], overflow="fold")
    for number, one in [*scored, *failed][:TRIALS_SHOWN]:
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
